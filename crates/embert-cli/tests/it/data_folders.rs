//! Directories of data: files of several formats.

use std::fs;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{stderr, stdout, succeeds};

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
