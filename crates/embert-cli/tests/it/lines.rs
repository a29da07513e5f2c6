//! Errors say what is wrong and what to do.

use std::fs;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{embert, fails, stderr, stdout, succeeds};

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Returns 20 rows with two labels, below this header.
fn rows(header: &str, separator: char) -> String {
    let row = |n: usize| format!("text {n}{separator}{}\n", ["yes", "no"][n % 2]);
    format!("{header}\n{}", (0..20).map(row).collect::<String>())
}

#[test]
fn errors_of_unreadable_data_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(path, "semicolon.csv", &rows("text;label", ';'));
    write(path, "tabs.csv", &rows("text\tlabel", '\t'));
    write(path, "columns.csv", &rows("review,stars", ','));
    write(path, "columns.jsonl", &"{\"review\": \"x\", \"stars\": 1}\n".repeat(4));
    write(path, "label.tsv", &rows("text\tstars", '\t'));
    write(path, "three.csv", "text,label\na,x\nb,x\nc,x\n");
    write(path, "sorted.csv", &format!("text,label\n{}", "a,x\n".repeat(200)));
    write(path, "missing.csv", "text,label\na,x\nb,y\nc,\nd,NaN\n");
    write(
        path,
        "field.json",
        "{\"data\": [{\"text\": \"a\", \"label\": 1}, {\"text\": \"b\", \"label\": 0}]}",
    );
    fs::write(path.join("latin.csv"), b"text,label\ncaf\xe9,a\nbar,b\n").unwrap();
    write(path, "open.csv", &format!("{}\"never closed,yes\n", rows("text,label", ',')));
    write(
        path,
        "ids.csv",
        &format!("text,label\n{}", (0..120).map(|n| format!("t{n},id{n}\n")).collect::<String>()),
    );
    write(path, "rows.json", "[{\"text\": \"a\", \"label\": 1}]");
    write(path, "rows.txt", "a\nb\n");
    write(path, "lfs.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    for (data, expected) in [
        ("semicolon.csv", &["separated by", "--csv_separator ';'"][..]),
        ("tabs.csv", &["tab", ".tsv", "--csv_separator tab"]),
        ("columns.csv", &["--text_column_name", "review"]),
        ("columns.jsonl", &["_column_name", "review"]),
        ("label.tsv", &["--label_column_name", "stars"]),
        ("missing.csv", &["row 3", "--drop_unlabelled"]),
        ("field.json", &["--json_field data"]),
        ("latin.csv", &["row 1", "--csv_encoding windows-1252"]),
        ("open.csv", &["--csv_quoting none"]),
        ("ids.csv", &["120", "--label_column_name"]),
        ("rows.json", &["all 1 rows"]),
        ("rows.txt", &["no column \"label\""]),
        ("lfs.csv", &["git lfs pull"]),
        ("semicolons.csv", &["did you mean semicolon.csv?"]),
        ("./nowhere.csv", &["there is no such file"]),
        ("three.csv", &["3 rows"]),
        ("sorted.csv", &["sorted"]),
    ] {
        for command in
            [format!("check --dataset {data}"), format!("train {SHAPE} --dataset {data} --output_dir run")]
        {
            let message = fails(path, 3, &command);
            assert_eq!(message.lines().count(), 1, "{command}: {message}");
            assert!(expected.iter().all(|expected| message.contains(expected)), "{command}: {message}");
            assert!(!path.join("run").exists() && !path.join("run.partial").exists(), "{command}");
        }
    }
    let message = fails(path, 3, "check --dataset three.csv");
    assert!(!message.contains("sorted"), "{message}");
    assert!(!fails(path, 3, "check --dataset missing.csv").contains("IMDb"));
    let message = stderr(&embert(path, "check --dataset missing.csv --drop_unlabelled"));
    assert!(message.contains("dropped 2 of 4 rows, which have no label"), "{message}");
}

#[test]
fn valid_data_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let many = |labels: &[&str]| {
        let row = |n: usize| format!("text {n},{}\n", labels[n % labels.len()]);
        format!("text,label\n{}", (0..60).map(row).collect::<String>())
    };
    write(path, "signs.csv", &many(&["-1", "0", "1"]));
    write(path, "stars.csv", &many(&["1", "2", "3", "4", "5"]));
    write(path, "gaps.csv", &many(&["10", "20", "4000"]));
    write(path, "quote.csv", &format!("{}a 5\" screen,no", many(&["yes", "no"])));
    write(path, "rare.csv", &format!("{}one,rare\n", many(&["yes", "no"])));
    write(path, "few.csv", "text,label\na,yes\nb,yes\n");
    let evaluates = "--eval_strategy epoch --max_steps 1 --overwrite_output_dir --output_dir run";
    for (data, classes) in [
        ("signs.csv", &["-1", "0", "1"][..]),
        ("stars.csv", &["1", "2", "3", "4", "5"]),
        ("gaps.csv", &["10", "20", "4000"]),
        ("quote.csv", &["no", "yes"]),
        ("rare.csv", &["no", "rare", "yes"]),
    ] {
        let printed = succeeds(path, &format!("train {SHAPE} --dataset {data} {evaluates}"));
        let train = printed.lines().next().unwrap();
        let (_, balance) = train.split_once("texts, ").unwrap();
        let names = balance.split(", ").map(|class| class.split(' ').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(names, classes, "{data}: {train}");
    }
    let output =
        embert(path, &format!("train {SHAPE} --dataset quote.csv --validation_file few.csv {evaluates}"));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("all 2 rows"), "{}", stderr(&output));
}

#[test]
fn check_without_a_model_checks_only_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b", "c"], 30);
    for command in
        ["check --dataset rows.csv", "check --train_file rows.csv", "check --set data.dataset_name=rows.csv"]
    {
        let printed = succeeds(path, command);
        assert!(printed.contains("train: 30 texts, a 10 (33.3 %)"), "{command}: {printed}");
        assert!(printed.contains("words") && printed.contains("--model"), "{command}: {printed}");
    }
    let printed = succeeds(path, "check --dataset rows.csv --eval_strategy epoch");
    assert!(
        printed.contains("train: 24 texts") && printed.contains("eval (6 rows held out): 6 texts"),
        "{printed}"
    );
}

#[test]
fn check_refuses_what_train_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 30);
    write(path, "full/notes.txt", "mine");
    for flags in [
        "--class_weights 1,2,3",
        "--freeze no.such.layer",
        "--freeze bert,classifier",
        "--gradual_unfreezing 1:nowhere",
        "--output_dir full",
        "--output_dir full --overwrite_output_dir",
        "--output_dir .",
        "--max_seq_length 64",
        "--load_best_model_at_end",
        "--truncation_side middle",
        "--pos_label c --eval_strategy epoch",
        "--csv_quoting all",
        "--label_column_name stars",
    ] {
        let [trained, checked] = ["train", "check"].map(|command| {
            embert(path, &format!("{command} {SHAPE} --dataset rows.csv --output_dir run {flags}"))
        });
        assert_ne!(trained.status.code(), Some(0), "{flags}: {}", stdout(&trained));
        assert_eq!(checked.status.code(), trained.status.code(), "{flags}: {}", stdout(&checked));
        let error =
            |output| stderr(output).lines().find(|line| line.starts_with("error")).unwrap().to_owned();
        assert_eq!(error(&checked), error(&trained), "{flags}");
    }
}

#[test]
fn errors_of_unreadable_models_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 30);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir good"));
    let copy = |name: &str| {
        fs::create_dir_all(path.join(name)).unwrap();
        for file in
            ["config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json", "model.safetensors"]
        {
            fs::copy(path.join("good").join(file), path.join(name).join(file)).unwrap();
        }
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 438000173\n";
    for (name, file) in
        [("lfs", "model.safetensors"), ("lfs-tokenizer", "tokenizer.json"), ("lfs-config", "config.json")]
    {
        copy(name);
        write(path, &format!("{name}/{file}"), pointer);
    }
    for (name, file) in
        [("tf", "tf_model.h5"), ("flax", "flax_model.msgpack"), ("pickle", "pytorch_model.bin")]
    {
        copy(name);
        fs::remove_file(path.join(name).join("model.safetensors")).unwrap();
        write(path, &format!("{name}/{file}"), "weights");
    }
    for (model, expected) in [
        ("lfs", "git lfs pull"),
        ("lfs-tokenizer", "git lfs pull"),
        ("lfs-config", "git lfs pull"),
        ("tf", "tf_model.h5"),
        ("flax", "flax_model.msgpack"),
        ("pickle", "pytorch_model.bin"),
        ("./nowhere", "there is no such"),
        ("./goood", "did you mean ./good?"),
    ] {
        for command in [
            format!("train --model {model} --dataset rows.csv --max_seq_length 32 --output_dir run"),
            format!("evaluate --model {model} --dataset rows.csv"),
            format!("predict --model {model} text"),
        ] {
            let message = fails(path, 1, &command);
            assert!(message.contains(expected), "{command}: {message}");
            assert_eq!(message.lines().count(), 1, "{command}: {message}");
        }
    }
}
