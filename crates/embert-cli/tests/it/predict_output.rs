//! Output files that `predict` refuses before it opens the model, and output files after a signal.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, succeeds};

#[test]
fn an_invalid_output_is_refused_and_existing_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let texts = b"text\ngood\n";
    let input = folder.path().join("f.csv");
    fs::write(&input, texts).unwrap();
    symlink("f.csv", folder.path().join("soft.csv")).unwrap();
    fs::hard_link(&input, folder.path().join("hard.csv")).unwrap();
    fs::create_dir_all(folder.path().join("a")).unwrap();
    fs::create_dir_all(folder.path().join("folder.csv")).unwrap();
    for (output, expected) in [
        ("f.csv", "is the file of --input"),
        ("soft.csv", "is the file of --input"),
        ("hard.csv", "is the file of --input"),
        ("./a/../f.csv", "is the file of --input"),
        ("nowhere/out.csv", "there is no directory nowhere"),
        ("hard.csv/out.csv", "there is no directory hard.csv"),
        ("folder.csv", "is a directory"),
        ("out.xlsx", ".jsonl"),
        ("out", ".jsonl"),
    ] {
        let message =
            fails(folder.path(), 2, &format!("predict --model ./none --input f.csv --output {output}"));
        assert_eq!(message.lines().count(), 1, "{output}: {message}");
        assert!(message.contains(output) && message.contains(expected), "{output}: {message}");
        assert_eq!(fs::read(&input).unwrap(), texts, "{output}");
    }
    for (name, content) in
        [("notes.csv", "text\nmine\n"), ("notes.jsonl", "not json"), ("notes.tsv", "label\tscore\n1\t2\n")]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let message =
            fails(folder.path(), 2, &format!("predict --model ./none --input f.csv --output {name}"));
        assert!(message.contains(name) && message.contains("holds no predictions"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "{name}");
    }
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fs::write(folder.path().join("before.jsonl"), "{\"label\": \"a\", \"score\": 1, \"scores\": [1]}\n")
        .unwrap();
    for output in ["empty.csv", "before.jsonl"] {
        let message =
            fails(folder.path(), 1, &format!("predict --model ./none --input f.csv --output {output}"));
        assert!(message.contains("none"), "{output}: {message}");
    }
    let message = fails(folder.path(), 1, "predict --model ./none --input f.csv --output a/out.csv");
    assert!(message.contains("none"), "{message}");
}

/// Predicts, and sends a signal when the temporary file at `partial` has content. `PID` in `partial` is the process id.
/// Returns the exit code and standard error.
fn stopped_while_writing(
    folder: &Path,
    arguments: &str,
    partial: &str,
    signal: &str,
) -> (Option<i32>, String) {
    let mut command = crate::command(folder, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let partial = folder.join(partial.replace("PID", &id));
    while !partial.metadata().is_ok_and(|metadata| metadata.len() > 0) {
        assert!(child.try_wait().unwrap().is_none(), "{arguments} ended too soon");
        sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), stderr(&output))
}

#[test]
fn a_signal_leaves_the_output_unchanged_and_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 24);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir run"));
    let mut texts = String::from("text\n");
    (0..200_000).for_each(|row| writeln!(texts, "apple river number {row}").unwrap());
    for directory in ["in", "out"] {
        fs::create_dir(path.join(directory)).unwrap();
    }
    fs::write(path.join("in/long.csv"), texts).unwrap();
    fs::write(path.join("short.csv"), "text\napple\nriver\n").unwrap();
    succeeds(path, "predict --model run --input short.csv --output before.csv");
    let before = fs::read(path.join("before.csv")).unwrap();
    for (arguments, partial, signal, code, expected) in [
        (
            "--input in/long.csv --output new.csv",
            ".new.csv.PID.partial",
            "-INT",
            130,
            "new.csv is not written",
        ),
        (
            "--input in/long.csv --output before.csv",
            ".before.csv.PID.partial",
            "-TERM",
            143,
            "before.csv is not",
        ),
        (
            "--input in --output out",
            "out/.long.csv.PID.partial",
            "-TERM",
            143,
            "--resume predicts the missing",
        ),
    ] {
        let arguments = format!("predict --model run {arguments}");
        let (found, message) = stopped_while_writing(path, &arguments, partial, signal);
        assert_eq!(found, Some(code), "{arguments}: {message}");
        assert!(message.contains("error: interrupted: ") && message.contains(expected), "{message}");
    }
    assert_eq!(fs::read(path.join("before.csv")).unwrap(), before);
    let names =
        |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert!(names(&path.join("out")).is_empty(), "{:?}", names(&path.join("out")));
    let is_left =
        |name: &std::ffi::OsString| name == "new.csv" || name.to_string_lossy().ends_with(".partial");
    assert!(!names(path).iter().any(is_left), "{:?}", names(path));
}
