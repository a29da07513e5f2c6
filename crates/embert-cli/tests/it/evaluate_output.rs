//! Output files of `evaluate` and `predict`: files of the user and evaluated files are never replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, succeeds};

fn train(folder: &Path) {
    write_csv(folder, "rows.csv", &["apple", "river"], 24);
    succeeds(
        folder,
        &format!("train {SHAPE} --train_file rows.csv --max_steps 2 --do_eval --output_dir run"),
    );
}

/// Trains a regression on a csv file with the columns `text` and `label`.
fn train_regression(folder: &Path) {
    let rows = (0..24).map(|row| format!("word {row},{}.5\n", row % 5)).collect::<String>();
    fs::write(folder.join("numbers.csv"), format!("text,label\n{rows}")).unwrap();
    let flags = "--problem_type regression --max_steps 2 --do_eval --output_dir numbers";
    succeeds(folder, &format!("train {SHAPE} --train_file numbers.csv {flags}"));
}

#[test]
fn an_evaluated_file_is_not_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    fs::create_dir(path.join("data")).unwrap();
    write_csv(&path.join("data"), "test.csv", &["apple", "river"], 8);
    let annotated = "text,label,prediction\napple,apple,apple\nriver,river,mine\n";
    fs::write(path.join("ann.csv"), annotated).unwrap();
    symlink("ann.csv", path.join("soft.csv")).unwrap();
    fs::hard_link(path.join("ann.csv"), path.join("hard.csv")).unwrap();
    fs::hard_link(path.join("data/test.csv"), path.join("hard-part.csv")).unwrap();
    symlink("data", path.join("linked")).unwrap();
    succeeds(path, "predict --model run --input rows.csv --output predicted.csv");
    succeeds(path, "evaluate --model run --output evaluated.csv");
    let evaluated = |name: &str| format!("--test_file {name} --output {name}");
    for (flags, expected) in [
        (evaluated("ann.csv"), "one of the evaluated files"),
        (evaluated("predicted.csv"), "one of the evaluated files"),
        (evaluated("evaluated.csv"), "one of the evaluated files"),
        ("--test_file ann.csv --output soft.csv".into(), "one of the evaluated files"),
        ("--test_file ann.csv --output hard.csv".into(), "one of the evaluated files"),
        ("--dataset soft.csv --output ./data/../ann.csv".into(), "one of the evaluated files"),
        ("--validation_file ann.csv --output ann.csv".into(), "one of the evaluated files"),
        ("--output rows.csv".into(), "one of the evaluated files"),
        ("--dataset data --output data/test.csv".into(), "one of the evaluated files"),
        ("--dataset data --output hard-part.csv".into(), "one of the evaluated files"),
        ("--dataset data --output data/x.csv".into(), "is in data"),
        ("--dataset ./data/ --output linked/x.jsonl".into(), "is in ./data/"),
        ("--test_file data --output data/x.csv".into(), "is in data"),
        ("--dataset . --output x.csv".into(), "is in ."),
        ("--dataset data/*.csv --output data/x.csv".into(), "is in data/*.csv"),
        ("--dataset data/*.csv --output linked/test.csv".into(), "one of the evaluated files"),
    ] {
        let files = ["ann.csv", "predicted.csv", "evaluated.csv", "rows.csv", "data/test.csv"];
        let before = files.map(|name| fs::read(path.join(name)).unwrap());
        let message = fails(path, 2, &format!("evaluate --model run {flags}"));
        assert!(message.contains(expected) && message.lines().count() == 1, "{flags}: {message}");
        assert!(files.map(|name| fs::read(path.join(name)).unwrap()) == before, "{flags}");
        assert_eq!(fs::read_dir(path.join("data")).unwrap().count(), 1, "{flags}");
    }
    for output in ["x.csv", "data/x.jsonl"] {
        succeeds(path, &format!("evaluate --model run --dataset data/*.csv --output {output}"));
    }
}

#[test]
fn a_file_of_the_user_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    train_regression(path);
    for (name, text) in [
        ("a.csv", "id,gold,prediction\n1,good,bad\n"),
        ("b.csv", "id,gold,prediction\n1,4,3.5\n2,1,2\n"),
        ("c.jsonl", "{\"id\": 1, \"predictions\": [\"a\", \"b\"]}\n"),
        ("d.csv", "text,label,prediction\nword,4,3\nmore,1,1\n"),
        ("e.csv", "text,label,prediction\nword,4,0.73123455\nmore,1,good\n"),
        ("f.tsv", "text\tprediction\nword\tapple\n"),
        ("g.jsonl", "{\"text\": \"a\", \"labels\": \"a\", \"scores\": \"high\"}\n"),
        ("h.csv", "text,label,score,scores\na,apple,5,9 of 10\n"),
        ("i.csv", "text,input_label,prediction,note\nword,1,0.73123455,mine\n"),
    ] {
        fs::write(path.join(name), text).unwrap();
        for (model, input) in [("run", "rows.csv"), ("numbers", "numbers.csv")] {
            for command in
                [format!("predict --model {model} --input {input}"), format!("evaluate --model {model}")]
            {
                let message = fails(path, 2, &format!("{command} --output {name}"));
                assert!(message.contains(name) && message.lines().count() == 1, "{command}: {message}");
                assert_eq!(fs::read_to_string(path.join(name)).unwrap(), text, "{command}");
            }
        }
    }
}

#[test]
fn a_repeated_command_replaces_its_output_unless_it_was_edited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    train_regression(path);
    for (at, (command, extension)) in [
        ("predict --model run --input rows.csv", "csv"),
        ("predict --model run --input rows.csv --logits", "jsonl"),
        ("predict --model run --input rows.csv --top_k 1 --logits", "tsv"),
        ("predict --model run --input rows.csv", "parquet"),
        ("predict --model run apple river", "csv"),
        ("predict --model numbers --input numbers.csv", "csv"),
        ("predict --model numbers --input numbers.csv --logits", "arrow"),
        ("evaluate --model run", "csv"),
        ("evaluate --model run --test_file rows.csv", "parquet"),
        ("evaluate --model numbers", "jsonl"),
        ("evaluate --model numbers", "csv"),
    ]
    .into_iter()
    .enumerate()
    {
        let command = format!("{command} --output out{at}.{extension}");
        succeeds(path, &command);
        succeeds(path, &command);
        if extension != "csv" {
            continue;
        }
        let file = path.join(format!("out{at}.csv"));
        let text = fs::read_to_string(&file).unwrap();
        let mut noted = text.lines().map(|line| format!("{line},mine\n")).collect::<String>();
        noted = noted.replacen(",mine", ",note", 1);
        let before = text.lines().map(|line| format!("mine,{line}\n")).collect::<String>();
        for edited in [noted, before] {
            fs::write(&file, &edited).unwrap();
            let message = fails(path, 2, &command);
            assert!(message.contains("name another file"), "{command}: {message}");
            assert_eq!(fs::read_to_string(&file).unwrap(), edited, "{command}");
        }
    }
}

#[test]
fn no_mistakes_are_printed_only_if_there_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    train(path);
    fs::write(path.join("wrong.csv"), "text,label\napple,river\napple,apple\n").unwrap();
    for (count, mistakes) in [(0, 0), (1, 1), (5, 1)] {
        let printed = succeeds(path, &format!("evaluate --model run --dataset wrong.csv --errors {count}"));
        assert_eq!(printed.matches(" ✗").count(), mistakes, "{count}: {printed}");
        assert!(!printed.contains("no mistakes"), "{count}: {printed}");
    }
}
