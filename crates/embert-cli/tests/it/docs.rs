//! Runs the commands of the README and of docs/ on small models and data.
//!
//! Blocks marked `console` are tested. `$ ` begins a command, and `\` continues it on the next line. A command must succeed.
//! The lines below it must occur in its output, in this order. Numbers and the widths of tables may differ.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::succeeds;
use crate::tiny::write_csv;

#[test]
fn every_command_of_the_documents_works() {
    for document in ["README.md", "docs/guide.md", "docs/coming-from-transformers.md"] {
        let text = fs::read_to_string(Path::new("../..").join(document)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_stand_ins(folder.path());
        let commands = commands(&text);
        assert!(!commands.is_empty(), "{document} has no commands");
        for (command, expected) in commands {
            let output = run(folder.path(), &command);
            require_lines(&format!("{document}: {command}"), &expected, &output);
        }
    }
}

/// Writes the files that the documents name: two csv files, a folder like IMDb's, and a pretrained model.
fn write_stand_ins(folder: &Path) {
    let labels = ["1", "2", "3", "4", "5"];
    fs::create_dir_all(folder.join("runs")).unwrap();
    for (name, rows) in [("train.csv", 40), ("test.csv", 10)] {
        write_csv(folder, name, &labels, rows);
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let with_stars = |line: &str| {
            let (_, label) = line.rsplit_once(',').unwrap();
            format!("{line},{}\n", if label == "label" { "stars" } else { label })
        };
        fs::write(folder.join(name), text.lines().map(with_stars).collect::<String>()).unwrap();
    }
    for (split, label) in ["train", "test"].into_iter().flat_map(|split| [(split, "pos"), (split, "neg")]) {
        let directory = folder.join("imdb").join(split).join(label);
        fs::create_dir_all(&directory).unwrap();
        for number in 0..8 {
            fs::write(directory.join(format!("{number}_7.txt")), format!("a {label} film, number {number}"))
                .unwrap();
        }
    }
    // Enough rows for a log line in each epoch.
    write_csv(folder, "reviews.csv", &["negative", "positive"], 520);
    let reviews = fs::read_to_string(folder.join("reviews.csv")).unwrap();
    fs::write(folder.join("reviews.csv"), reviews.replacen("text,label", "review,sentiment", 1)).unwrap();
    write_rows(folder, "pairs.csv", "question,answer,label", |n| format!("who {n},nobody {n},{}", n % 2));
    let flags = |n: usize| format!("film {n},{},{},{}", n % 2, n % 3 / 2, n % 5 / 4);
    write_rows(folder, "comments.csv", "text,toxic,obscene,insult", flags);
    write_rows(folder, "scores.csv", "text,score", |n| format!("film {n},{}.5", n % 5));
    fs::create_dir_all(folder.join("shards")).unwrap();
    for part in ["shards/part-00000.csv", "shards/part-00001.csv"] {
        write_rows(folder, part, "text", |n| format!("film {n}"));
    }
    write_pretrained(folder, "bert-base-uncased");
    write_pretrained(folder, "all-MiniLM-L6-v2");
}

/// Writes a csv file of 40 rows.
fn write_rows(folder: &Path, name: &str, header: &str, row: impl Fn(usize) -> String) {
    let rows = (0..40).map(|n| row(n) + "\n").collect::<String>();
    fs::write(folder.join(name), format!("{header}\n{rows}")).unwrap();
}

/// Writes a model without a classification head: renames the tensors of its head to names that no model uses.
fn write_pretrained(folder: &Path, name: &str) {
    let sizes = "--vocab_size 300 --hidden_size 16 --num_hidden_layers 2 --num_attention_heads 2 --intermediate_size 16 \
                 --max_position_embeddings 512";
    succeeds(
        folder,
        &format!(
            "train --dataset synthetic --synthetic_reviews 64 --max_steps 1 {sizes} --output_dir {name}"
        ),
    );
    let path = folder.join(name).join("model.safetensors");
    let file = fs::read(&path).unwrap();
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let header = String::from_utf8(rest[..length].to_vec())
        .unwrap()
        .replace("\"classifier.", "\"cls.seq_relationship.");
    let header = format!("{header:<width$}", width = header.len().next_multiple_of(8));
    let renamed = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &rest[length..]].concat();
    fs::write(path, renamed).unwrap();
}

/// Returns the commands of a document, each with the lines of output below it.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = vec![];
    let blocks = text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    for line in
        blocks.flat_map(|block| block.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>())
    {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), vec![])),
            (None, Some((_, output))) => output.push(line),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    commands
}

/// Runs a command in a shell that finds the `embert` under test. Returns its output.
fn run(folder: &Path, command: &str) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_embert")).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let command = command.replace("cargo xtask train", "embert train");
    let mut shell = Command::new("sh");
    shell.args(["-ec", &format!("{command} 2>&1")]).current_dir(folder).env("PATH", path);
    let output =
        shell.env("HF_HUB_OFFLINE", "1").env("HF_HOME", folder).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command}\n{text}");
    text
}

/// Asserts that the output has these lines in this order. `...` matches any lines.
fn require_lines(what: &str, expected: &[String], output: &str) {
    let mut lines = output.lines().map(shape);
    for line in expected.iter().filter(|line| !["...", ""].contains(&line.as_str())) {
        let wanted = shape(line);
        assert!(lines.any(|line| line == wanted), "{what}: the output has no line like {line:?}:\n{output}");
    }
}

/// Replaces each number by `#`. Removes the borders of tables and repeated spaces.
fn shape(line: &str) -> String {
    let characters = line.chars().filter(|c| !"─│┌┐└┘╞╡═┆├┤".contains(*c)).collect::<Vec<_>>();
    let mut shape = String::new();
    for (index, character) in characters.iter().enumerate() {
        let follows_number = shape.ends_with('#');
        let precedes_digit = characters.get(index + 1).is_some_and(char::is_ascii_digit);
        let is_separator = ['.', ','].contains(character) && follows_number && precedes_digit;
        if !character.is_ascii_digit() && !is_separator {
            shape.push(*character);
        } else if !follows_number {
            shape.push('#');
        }
    }
    shape.split_whitespace().collect::<Vec<_>>().join(" ")
}
