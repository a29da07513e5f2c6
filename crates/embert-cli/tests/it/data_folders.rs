//! Directories of data: files of several formats, and runs inside of them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, stdout, succeeds};

const LABELS: [&str; 2] = ["apple", "river"];

/// Writes jsonl rows with the labels of `LABELS`.
fn write_jsonl(path: &Path, rows: usize) {
    let line = |row| format!("{{\"text\": \"apple stone {row}\", \"label\": \"{}\"}}\n", LABELS[row % 2]);
    fs::write(path, (0..rows).map(line).collect::<String>()).unwrap();
}

/// Writes the directory `data` with the splits `train` and `test`.
fn write_data(folder: &Path) {
    fs::create_dir(folder.join("data")).unwrap();
    write_csv(folder, "data/train.csv", &LABELS, 30);
    write_csv(folder, "data/test.csv", &LABELS, 10);
}

#[test]
fn an_error_in_the_rows_comes_with_the_names_of_skipped_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("data")).unwrap();
    write_csv(path, "data/train.csv", &LABELS, 30);
    write_jsonl(&path.join("data/more.jsonl"), 1);
    for command in ["check", "train"] {
        let message = fails(path, 3, &format!("{command} {SHAPE} --train_file data --output_dir run"));
        let [warning, error] = message.lines().collect::<Vec<_>>()[..] else { panic!("{message}") };
        assert!(
            warning.starts_with("warning: data: ") && warning.contains("skipped \"train.csv\""),
            "{message}"
        );
        assert!(error.starts_with("error: ") && error.contains("at least two labels"), "{message}");
    }
}

#[test]
fn commands_name_the_skipped_files_of_other_formats_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_data(path);
    write_jsonl(&path.join("data/train.jsonl"), 50);
    for command in [
        format!("check {SHAPE} --train_file data"),
        format!("check {SHAPE} --dataset data --do_eval"),
        format!("train {SHAPE} --train_file data --max_steps 2 --output_dir of-file"),
        format!("train {SHAPE} --dataset data --do_eval --max_steps 2 --output_dir run"),
        "evaluate --model run".to_owned(),
        "evaluate --model run --dataset data".to_owned(),
    ] {
        let output = crate::embert(path, &command);
        let (printed, message) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0), "{command}: {message}");
        let notes = message.lines().filter(|line| line.contains("skipped")).collect::<Vec<_>>();
        assert!(
            matches!(notes[..], [note] if note.starts_with("warning: data: only the csv or tsv files are read")
                && note.contains("skipped \"train.jsonl\"") && note.contains("--train_file")),
            "{command}: {message}"
        );
        assert_eq!(printed.contains("except for the warnings"), command.starts_with("check"), "{printed}");
    }
    let printed = succeeds(path, &format!("check {SHAPE} --train_file data/*"));
    assert!(printed.contains("90"), "a pattern reads all formats: {printed}");
}

#[test]
fn an_output_directory_in_the_data_is_refused_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_data(path);
    fs::create_dir(path.join("other")).unwrap();
    symlink("data", path.join("alias")).unwrap();
    symlink("../other", path.join("data/link")).unwrap();
    let absolute = path.join("data/run").display().to_string();
    for (data, output) in [
        ("--dataset data", "data/run"),
        ("--dataset data", "./data/run/"),
        ("--dataset data/", "data/new/deep/run"),
        ("--dataset ./other/../data", "data/run"),
        ("--dataset data", "other/../data/run"),
        ("--dataset data", "data/new/../run"),
        ("--dataset alias", "data/run"),
        ("--dataset data", "alias/run"),
        ("--dataset data", "data/link/run"),
        ("--dataset data", "other/run"), // data/link leads there
        ("--dataset data", absolute.as_str()),
        ("--dataset .", "run"),
        ("--train_file data", "data/run"),
        ("--train_file data/*", "data/run"),
        ("--train_file data/**/*.*", "data/run"),
        ("--train_file data/train.csv --validation_file data --do_eval", "data/run"),
        ("--train_file data/train.csv --test_file data --do_eval", "data/run"),
    ] {
        for command in ["train", "check"] {
            let flags = format!("{data} --max_steps 2 --output_dir {output}");
            let message = fails(path, 2, &format!("{command} {SHAPE} {flags}"));
            assert!(
                message.contains(&format!("--output_dir {output} is in the data ")),
                "{flags}: {message}"
            );
            assert_eq!(message.lines().count(), 1, "{flags}: {message}");
        }
        for run in ["data/run", "data/new", "other/run", "run", "run.partial", "data/run.partial"] {
            assert!(!path.join(run).exists(), "{data} {output}: {run}");
        }
    }
}

#[test]
fn an_output_directory_that_the_data_does_not_include_can_be_used_again() {
    for (data, output) in [
        ("--dataset data", "runs/data"),
        ("--dataset data", "data2"),
        ("--dataset data", "data/.runs/first"),
        ("--dataset data", "data/../run"),
        ("--train_file data/train.csv", "data/run"),
        ("--train_file data/*.csv", "data/run"),
        ("--train_file data/**/*.csv", "data/run"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        write_data(path);
        let train = format!("train {SHAPE} {data} --do_eval --max_steps 2 --output_dir");
        succeeds(path, &format!("{train} {output}"));
        succeeds(path, &format!("evaluate --model {output}"));
        succeeds(path, &format!("{train} {output}-again"));
    }
}
