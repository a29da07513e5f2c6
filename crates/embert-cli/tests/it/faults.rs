//! Runs and merges on a disk that fails or is full. A failed save does not damage the last checkpoint, and the resumed
//! run is bit-identical. A failed merge leaves no model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::tiny::{SHAPE, write_csv};
use crate::{stderr, stdout, succeeds};

const RUN: &str = "train --recipe quickstart --synthetic_reviews 60 --vocab_size 200 --hidden_size 16 \
    --num_hidden_layers 1 --intermediate_size 16 --max_steps 4 --max_seq_length 32 --save_strategy steps \
    --save_steps 1 --logging_steps 2 --eval_strategy steps --eval_steps 1 --load_best_model_at_end \
    --save_total_limit 2 --output_dir run";

/// The error numbers ENOSPC ("No space left on device") and EIO ("Input/output error").
const ERRORS: [i32; 2] = [28, 5];
/// Kills the process instead of an error.
const KILL: i32 = 0;

/// Compiles the library that makes file operations fail. Returns `None` if that is not possible here.
fn injector(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults.c");
    let injector = folder.join("faults.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&injector).arg(source).arg("-ldl");
    let built =
        cfg!(all(target_os = "linux", target_env = "gnu")) && cc.status().is_ok_and(|code| code.success());
    if !built {
        eprintln!("SKIPPED: injecting disk faults needs Linux with glibc and a C compiler");
    }
    built.then_some(injector)
}

/// A fault of the disk.
#[derive(Clone, Copy)]
struct Fault {
    /// The operation that fails, counted from 0.
    at: usize,
    error: i32,
    /// True if all later operations fail too.
    forever: bool,
}

/// A folder for a run or a merge, and the library that injects faults into it.
struct Disk<'a> {
    injector: &'a Path,
    folder: PathBuf,
    /// Only operations on paths that contain this text fail.
    below: &'static str,
}

impl Disk<'_> {
    /// Runs `embert` with a fault. Without a fault, logs the operations.
    fn embert(&self, arguments: &str, fault: Option<Fault>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
        command.args(arguments.split_whitespace()).current_dir(&self.folder).stdin(Stdio::null());
        command.env("LD_PRELOAD", self.injector).env("FAULTS_BELOW", self.below);
        match fault {
            Some(Fault { at, error, forever }) => {
                command.env("FAULTS_AT", at.to_string()).env("FAULTS_ERROR", error.to_string());
                if forever {
                    command.env("FAULTS_FOREVER", "1");
                }
            }
            None => {
                command.env("FAULTS_LOG", self.folder.join("operations"));
            }
        }
        command.output().unwrap()
    }

    /// Returns the bytes of the final weights.
    fn result(&self) -> Vec<u8> {
        fs::read(self.folder.join("run/model.safetensors")).unwrap()
    }

    /// Runs with the fault. If the run fails, resumes it without the fault. Returns the output of the first run.
    fn survives(&self, on_save_error: &str, fault: Fault, expected: &[u8]) -> Output {
        let arguments = format!("{RUN} --on_save_error {on_save_error}");
        let output = self.embert(&arguments, Some(fault));
        let message = stderr(&output);
        let what = format!("operation {} fails with {}, {on_save_error}: {message}", fault.at, fault.error);
        assert!(!message.contains("panicked"), "{what}");
        match output.status.code() {
            Some(0) => {}
            Some(1) | None => {
                let is_explained =
                    message.lines().any(|line| line.starts_with("error: ") && line.contains("os error"));
                assert!(is_explained || fault.error == KILL, "{what}");
                let again = self.embert(&format!("{RUN} --resume_from_checkpoint last"), None);
                assert_eq!(again.status.code(), Some(0), "{what}\nresumed: {}", stderr(&again));
            }
            other => panic!("{other:?}: {what}"),
        }
        assert!(self.result() == expected, "{what}");
        output
    }
}

/// Calls `try_one` with each number below `count`, on two threads.
fn for_each(count: usize, try_one: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Relaxed)).filter(|number| *number < count) {
                    try_one(number);
                }
            });
        }
    });
}

#[test]
fn a_run_survives_a_fault_at_each_operation() {
    let folder = tempfile::tempdir().unwrap();
    let Some(injector) = injector(folder.path()) else { return };
    let uninterrupted = Disk { injector: &injector, folder: folder.path().to_owned(), below: "run.partial" };
    let output = uninterrupted.embert(RUN, None);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = uninterrupted.result();
    let operations = fs::read_to_string(folder.path().join("operations")).unwrap().lines().count();
    assert!(operations > 150, "four checkpoints and the final files need more than {operations} operations");
    // The lock keeps other processes out until everything is on the disk.
    let log = fs::read_to_string(folder.path().join("operations")).unwrap();
    let (before, after) = log.split_once("unlink run.partial/.lock").expect("the lock is removed");
    assert!(before.contains("fsync") && !after.contains("fsync") && !after.contains("write"), "{after}");
    let (warned, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for_each(operations * 4, |number| {
        let (at, kind) = (number / 4, number % 4);
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { injector: &injector, folder: folder.path().to_owned(), below: "run.partial" };
        let error = if kind == 3 { KILL } else { ERRORS[at % 2] };
        let fault = Fault { at, error, forever: kind == 2 };
        let output = disk.survives(["continue", "stop", "continue", "continue"][kind], fault, &expected);
        warned.fetch_add(usize::from(stderr(&output).contains("warning: not saved: ")), Relaxed);
        stopped.fetch_add(usize::from(output.status.code() == Some(1)), Relaxed);
    });
    let (warned, stopped) = (warned.into_inner(), stopped.into_inner());
    println!(
        "{} faults: {stopped} ended the run, {warned} caused a warning; all results are bit-identical",
        operations * 4
    );
    assert!(warned > operations / 2 && stopped > operations, "{warned} warned, {stopped} stopped");
}

#[test]
fn a_run_without_checkpoints_begins_anew_after_a_fault_or_is_complete() {
    const WITHOUT_CHECKPOINTS: &str = "train --recipe quickstart --synthetic_reviews 60 --vocab_size 200 \
        --hidden_size 16 --num_hidden_layers 1 --intermediate_size 16 --max_steps 2 --max_seq_length 32 \
        --save_strategy no --output_dir run --overwrite_output_dir false";
    let folder = tempfile::tempdir().unwrap();
    let Some(injector) = injector(folder.path()) else { return };
    let uninterrupted = Disk { injector: &injector, folder: folder.path().to_owned(), below: "run.partial" };
    let output = uninterrupted.embert(WITHOUT_CHECKPOINTS, None);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = uninterrupted.result();
    let operations = fs::read_to_string(folder.path().join("operations")).unwrap().lines().count();
    let (anew, complete) = (AtomicUsize::new(0), AtomicUsize::new(0));
    for_each(operations * 3, |number| {
        let (at, kind) = (number / 3, number % 3);
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { injector: &injector, folder: folder.path().to_owned(), below: "run.partial" };
        let fault = Fault { at, error: [ERRORS[0], ERRORS[0], KILL][kind], forever: kind == 1 };
        if disk.embert(WITHOUT_CHECKPOINTS, Some(fault)).status.success() {
            return;
        }
        let again = disk.embert(&format!("{WITHOUT_CHECKPOINTS} --resume_from_checkpoint last"), None);
        let message = stderr(&again);
        match again.status.code() {
            Some(0) => anew.fetch_add(1, Relaxed),
            Some(2) if message.contains("run.partial contains a complete run; rename it to run") => {
                fs::rename(disk.folder.join("run.partial"), disk.folder.join("run")).unwrap();
                complete.fetch_add(1, Relaxed)
            }
            other => panic!("operation {at}, {kind}: {other:?}: {message}"),
        };
        assert!(disk.result() == expected, "operation {at}, {kind}: {message}");
    });
    let (anew, complete) = (anew.into_inner(), complete.into_inner());
    println!("{anew} runs began anew, {complete} were complete; all results are bit-identical");
    assert!(anew > operations && complete > 3, "{anew} anew, {complete} complete, of {operations}");
}

/// Returns the names of the files of the merged model with their bytes; `None` if there is no `config.json`.
fn merged_model(folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    let merged = folder.join("merged");
    fs::metadata(merged.join("config.json")).ok()?;
    let files =
        fs::read_dir(merged).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let mut files = files.map(|path| (name(&path), fs::read(path).unwrap())).collect::<Vec<_>>();
    files.sort();
    Some(files)
}

#[test]
fn a_failed_merge_leaves_no_model_and_can_be_repeated() {
    let models = tempfile::tempdir().unwrap();
    let Some(injector) = injector(models.path()) else { return };
    write_csv(models.path(), "rows.csv", &["a", "b"], 24);
    succeeds(models.path(), &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir base"));
    let lora =
        "--lora_r 2 --lora_target_modules query --max_seq_length 16 --max_steps 1 --output_dir adapter";
    succeeds(models.path(), &format!("train --model base --dataset rows.csv {lora}"));
    let models = models.path().display();
    let merge = format!("merge --model {models}/adapter --base {models}/base --output merged");
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk { injector: &injector, folder: folder.path().to_owned(), below: "merged" };
    assert!(disk.embert(&merge, None).status.success());
    let expected = merged_model(folder.path()).unwrap();
    let operations = fs::read_to_string(folder.path().join("operations")).unwrap().lines().count();
    assert!(expected.len() > 4 && operations > 20, "{operations} operations");
    for_each(operations * 3, |number| {
        let (at, kind) = (number / 3, number % 3);
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk { injector: &injector, folder: folder.path().to_owned(), below: "merged" };
        let fault = Fault { at, error: [ERRORS[0], ERRORS[1], KILL][kind], forever: kind == 1 };
        let output = disk.embert(&merge, Some(fault));
        let what = format!("operation {at}, {kind}: {}", stderr(&output));
        let found = merged_model(folder.path());
        match output.status.code() {
            Some(0) => assert!(found.as_ref() == Some(&expected), "{what}"),
            Some(1) if kind == 0 => assert!(!folder.path().join("merged").exists(), "{what}"),
            Some(1) | None => assert!(found.is_none_or(|found| found == expected), "{what}"),
            other => panic!("{other:?}: {what}"),
        }
        if output.status.code() != Some(0) {
            let again = disk.embert(&merge, None);
            let message = stderr(&again);
            let is_complete = message.contains("merged is not empty"); // killed before the last operation
            assert!(again.status.success() || is_complete, "{what}: {message}");
            assert!(merged_model(folder.path()).as_ref() == Some(&expected), "{what}: {message}");
        }
    });
}

/// Trains on a disk of `$1` KiB. If that fails, enlarges the disk and resumes. Copies the final weights to `../result`.
const SMALL_DISK: &str = "mkdir disk && mount -t tmpfs -o size=$1k tmpfs disk && cd disk || exit 99
    $2 $3; code=$?
    mount -o remount,size=64m . || exit 99
    if [ $code != 0 ]; then $2 $3 --resume_from_checkpoint last >&2 || exit 98; fi
    cp run/model.safetensors ../result
    exit $code";

fn on_small_disk(folder: &Path, kibibytes: usize) -> Output {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh", &kibibytes.to_string()]);
    command.args([env!("CARGO_BIN_EXE_embert"), RUN]).current_dir(folder).output().unwrap()
}

#[test]
fn a_run_survives_a_full_disk() {
    let mount = "mkdir disk && mount -t tmpfs tmpfs disk";
    let folder = tempfile::tempdir().unwrap();
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "sh", "-c", mount]).current_dir(folder.path());
    if !probe.output().is_ok_and(|output| output.status.success()) {
        return eprintln!("SKIPPED: no small disk can be mounted here (unshare --map-root-user --mount)");
    }
    let large = tempfile::tempdir().unwrap();
    let output = on_small_disk(large.path(), 64 * 1024);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let expected = fs::read(large.path().join("result")).unwrap();
    let mut num_full = 0;
    for kibibytes in (40..=640).step_by(40) {
        let folder = tempfile::tempdir().unwrap();
        let output = on_small_disk(folder.path(), kibibytes);
        let message = stderr(&output);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{kibibytes} KiB: {message}{}", stdout(&output));
        assert!(output.status.code() == Some(0) || message.contains("No space left on device"), "{message}");
        assert!(fs::read(folder.path().join("result")).unwrap() == expected, "{kibibytes} KiB: {message}");
        num_full += usize::from(output.status.code() == Some(1));
    }
    println!("{num_full} disks were full; all results are bit-identical");
    assert!(num_full > 5, "{num_full}");
}
