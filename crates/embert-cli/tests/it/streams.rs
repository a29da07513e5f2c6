//! Training continues if standard output or standard error is closed or full. Other commands exit cleanly.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::Stdio;

use crate::tiny::TINY;
use crate::{fails, succeeds};

/// The target of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    /// A file.
    File,
    /// A pipe that its reader has closed, as in `| head -1`.
    ClosedPipe,
    /// A full disk.
    Full,
}

impl To {
    fn stream(self, file: &Path) -> Stdio {
        match self {
            Self::File => File::create(file).unwrap().into(),
            Self::ClosedPipe => std::io::pipe().unwrap().1.into(),
            Self::Full => OpenOptions::new().write(true).open("/dev/full").unwrap().into(),
        }
    }
}

/// Runs `embert` with these streams. Returns the exit code, and standard error if it is a file.
fn runs(folder: &Path, arguments: &str, out: To, err: To) -> (Option<i32>, String) {
    let errors = folder.join("stderr");
    let mut command = crate::command(folder, arguments);
    let code =
        command.stdout(out.stream(&folder.join("out"))).stderr(err.stream(&errors)).status().unwrap().code();
    (code, if err == To::File { fs::read_to_string(errors).unwrap() } else { String::new() })
}

#[test]
fn training_continues_after_a_closed_pipe_and_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &format!("train {TINY} --save_strategy epoch --output_dir expected"));
    let files = ["model.safetensors", "checkpoint-13/optimizer.safetensors", "metrics.jsonl", "README.md"];
    let sizes = |run: &str| files.map(|file| fs::metadata(folder.path().join(run).join(file)).unwrap().len());
    let weights = |run: &str| fs::read(folder.path().join(run).join("model.safetensors")).unwrap();
    for (out, err) in [
        (To::ClosedPipe, To::File),
        (To::Full, To::File),
        (To::File, To::ClosedPipe),
        (To::File, To::Full),
        (To::ClosedPipe, To::ClosedPipe),
        (To::Full, To::Full),
        (To::ClosedPipe, To::Full),
    ] {
        let run = format!("run-{out:?}-{err:?}");
        let arguments = format!("train {TINY} --save_strategy epoch --output_dir {run}");
        let (code, message) = runs(folder.path(), &arguments, out, err);
        assert_eq!(code, Some(0), "{run}: {message}");
        assert!(!message.contains("panicked"), "{run}: {message}");
        assert_eq!(
            message.matches("standard output").count(),
            usize::from(err == To::File && out != To::File),
            "{message}"
        );
        assert_eq!(sizes(&run)[0..2], sizes("expected")[0..2], "{run}");
        assert!(weights(&run) == weights("expected"), "{run}");
        assert!(!folder.path().join(format!("{run}.partial")).exists(), "{run}");
    }
}

#[test]
fn unread_warnings_and_errors_do_not_change_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for err in [To::ClosedPipe, To::Full] {
        let with_warning = format!("train {TINY} --output_dir {err:?} --warmup_ratio 0.9");
        assert_eq!(runs(folder.path(), &with_warning, To::File, err).0, Some(0), "{err:?}");
        assert_eq!(runs(folder.path(), "train --learning_rat 1", To::File, err).0, Some(2), "{err:?}");
        assert_eq!(runs(folder.path(), "evaluate --model ./nowhere", To::File, err).0, Some(1), "{err:?}");
    }
}

#[test]
fn other_commands_succeed_on_a_closed_pipe_and_fail_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &format!("train {TINY} --output_dir run"));
    fs::write(folder.path().join("texts.csv"), "text\ngood\nbad\n").unwrap();
    for arguments in [
        "evaluate --model run",
        "predict --model run good bad",
        "predict --model run --input texts.csv",
        &format!("check {TINY} --output_dir other"),
        "devices",
        "train --print_config",
    ] {
        assert_eq!(
            runs(folder.path(), arguments, To::ClosedPipe, To::File),
            (Some(0), String::new()),
            "{arguments}"
        );
        let (code, message) = runs(folder.path(), arguments, To::Full, To::File);
        assert_eq!(code, Some(1), "{arguments}: {message}");
        let errors = message.lines().filter(|line| !line.starts_with("warning: ")).collect::<Vec<_>>();
        assert!(
            matches!(errors[..], [error] if error.starts_with("error: standard output")),
            "{arguments}: {message}"
        );
    }
}

#[test]
fn an_evaluation_writes_its_file_without_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), &format!("train {TINY} --output_dir run"));
    succeeds(folder.path(), "evaluate --model run --errors 2 --output expected.csv");
    let bytes = |name: &str| fs::read(folder.path().join(name)).unwrap();
    for (out, err, code) in
        [(To::ClosedPipe, To::File, 0), (To::ClosedPipe, To::ClosedPipe, 0), (To::Full, To::File, 1)]
    {
        let name = format!("{out:?}-{err:?}.csv");
        let arguments = format!("evaluate --model run --errors 2 --output {name}");
        let (found, message) = runs(folder.path(), &arguments, out, err);
        assert_eq!(found, Some(code), "{name}: {message}");
        assert!(bytes(&name) == bytes("expected.csv"), "{name}");
    }
}

/// No user can create files in `/proc`, not even root.
#[test]
fn an_output_in_a_read_only_folder_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("texts.csv"), "text\ngood\n").unwrap();
    for arguments in [
        "train --dataset ./nowhere.csv --model ./nowhere --output_dir /proc/run",
        "check --dataset ./nowhere.csv --model ./nowhere --output_dir /proc/run/deeper",
        "predict --model ./nowhere --input texts.csv --output /proc/out.csv",
    ] {
        let message = fails(folder.path(), 2, arguments);
        assert!(
            message.contains("/proc/") && message.contains("cannot be written"),
            "{arguments}: {message}"
        );
        assert_eq!(message.lines().count(), 1, "{arguments}: {message}");
    }
}
