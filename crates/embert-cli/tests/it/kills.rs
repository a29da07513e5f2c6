//! Kill it anywhere: a run that is taken up ends with the bytes of one that was left alone.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{embert, fails, stderr, succeeds};

/// A checkpoint after every step, so that most of the time is spent saving; evaluations, early ends of log windows, a best
/// model and accumulation besides.
const RUN: &str = "train --recipe quickstart --synthetic_reviews 60 --vocab_size 200 --hidden_size 16 \
    --num_hidden_layers 1 --intermediate_size 16 --num_train_epochs 3 --per_device_train_batch_size 4 \
    --gradient_accumulation_steps 2 --max_seq_length 32 --save_strategy steps --save_steps 1 --logging_steps 3 \
    --eval_strategy steps --eval_steps 4 --load_best_model_at_end --output_dir run";

const RESUME: &str = " --resume_from_checkpoint last";

fn spawn(folder: &Path, arguments: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(arguments.split_whitespace()).current_dir(folder).env("HF_HUB_OFFLINE", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What must not depend on interruptions: the final weights, those of every checkpoint with the optimizer's state, and the
/// log without what a clock says.
#[derive(PartialEq)]
struct Left {
    files: Vec<(String, Vec<u8>)>,
    log: Vec<Value>,
}

fn left(folder: &Path) -> Left {
    let run = folder.join("run");
    let mut files = vec![];
    for entry in fs::read_dir(&run).unwrap() {
        let path = entry.unwrap().path();
        for name in ["model.safetensors", "optimizer.safetensors"] {
            let file = path.join(name);
            if file.is_file() {
                files.push((file.strip_prefix(&run).unwrap().display().to_string(), fs::read(file).unwrap()));
            }
        }
    }
    files.push(("model.safetensors".into(), fs::read(run.join("model.safetensors")).unwrap()));
    files.sort();
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    Left { files, log: log.lines().map(without_times).collect() }
}

fn without_times(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line.as_object_mut()
        .unwrap()
        .retain(|key, _| !key.ends_with("_per_second") && !key.ends_with("_runtime"));
    line
}

#[track_caller]
fn assert_same(found: &Left, expected: &Left, what: &str) {
    let names = |left: &Left| left.files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    assert_eq!(found.log, expected.log, "{what}");
    assert!(found == expected, "{what}: other weights");
}

/// Numbers below `limit` that look random and are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Starts or takes up the run and kills it; whether it was still running, and whether it was saving.
fn kill(folder: &Path, arguments: &str, after: Duration) -> (bool, bool) {
    let mut child = spawn(folder, arguments);
    sleep(after);
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    let partial = fs::read_dir(folder.join("run.partial")).into_iter().flatten().flatten();
    let is_half_done = |path: &Path| path.extension().is_some_and(|extension| extension == "tmp");
    (was_running, partial.into_iter().any(|entry| is_half_done(&entry.path())))
}

#[test]
fn fifty_kills_lose_nothing() {
    let whole = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    succeeds(whole.path(), RUN);
    let microseconds = begin.elapsed().as_micros() as u64;
    let expected = left(whole.path());
    assert!(expected.files.len() > 30, "{}", expected.files.len());
    let (mut random, mut kills, mut while_saving, mut runs) = (Random(42), 0, 0, 0);
    while kills < 50 {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = RUN.to_owned();
        // Every other run is killed more than once.
        for _ in 0..1 + random.below(2) * 3 {
            let after = Duration::from_micros(random.below(microseconds));
            let (was_running, was_saving) = kill(folder.path(), &arguments, after);
            kills += usize::from(was_running);
            while_saving += usize::from(was_running && was_saving);
            arguments = format!("{RUN}{RESUME}");
        }
        succeeds(folder.path(), &arguments);
        assert_same(&left(folder.path()), &expected, &format!("after {kills} kills"));
        runs += 1;
    }
    println!("{kills} kills of {runs} runs, {while_saving} of them while saving: the same bytes");
    assert!(while_saving > 5, "{while_saving} of {kills} kills hit a save");
}

/// Whether the checkpoints of a finished run are being brought, or were, into the directory in which it goes on.
fn brings(folder: &Path) -> bool {
    ["run.partial.tmp", "run.partial"].iter().any(|name| folder.join(name).exists())
}

#[test]
fn a_finished_run_that_is_taken_up_brings_all_its_checkpoints_or_none() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), RUN);
    let expected = left(folder.path());
    let arguments = format!("{RUN}{RESUME}");
    for kill in 0..5 {
        let mut child = spawn(folder.path(), &arguments);
        while !brings(folder.path()) {
            assert!(child.try_wait().unwrap().is_none(), "the run ended too soon");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let partial = folder.path().join("run.partial");
        let last = partial.join("checkpoint-18/state.json");
        assert!(!partial.exists() || last.exists(), "kill {kill} left some checkpoints");
        succeeds(folder.path(), &arguments);
        assert_same(&left(folder.path()), &expected, "after it was taken up");
        assert!(!brings(folder.path()), "kill {kill} left a directory beside the run");
    }
}

/// Lets a run go on until it has saved, and sends it a signal.
fn signalled(folder: &Path, signal: &str) -> i32 {
    let mut child = spawn(folder, RUN);
    let saved = folder.join("run.partial/checkpoint-3");
    while !saved.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended too soon");
        sleep(Duration::from_millis(1));
    }
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap().code().unwrap()
}

#[cfg(unix)]
#[test]
fn signals_save_and_the_run_goes_on_to_the_same_bytes() {
    let whole = tempfile::tempdir().unwrap();
    succeeds(whole.path(), RUN);
    let expected = left(whole.path());
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(signalled(folder.path(), signal), code);
        let printed = succeeds(folder.path(), "train --output_dir run --resume_from_checkpoint last");
        assert!(printed.contains("resuming from run.partial/checkpoint-"), "{printed}");
        assert_same(&left(folder.path()), &expected, signal);
    }
}

#[test]
fn another_recipe_is_refused_with_its_differences() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), RUN);
    let message =
        fails(folder.path(), 2, &format!("{RUN}{RESUME} --learning_rate 0.5 --seed 7 --weight_decay 0"));
    for part in ["train.learning_rate is 0.0007 there and 0.5 here", "train.seed is 42 there and 7 here"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    // Longer, and logged and saved at other intervals.
    let longer = " --num_train_epochs 4 --logging_steps 5 --save_steps 10 --output_dir run";
    succeeds(folder.path(), &format!("{RUN}{RESUME}{longer}"));
    let state = fs::read_to_string(folder.path().join("run/trainer_state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!((&state["global_step"], &state["epoch"]), (&24.into(), &4.0.into()));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_and_what_cannot_be_resumed_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeeds(folder.path(), &format!("{RUN}{RESUME}"));
    assert!(printed.contains("there is no checkpoint of run yet: training begins"), "{printed}");
    let expected = left(folder.path());
    let last = folder.path().join("run/checkpoint-18/optimizer.safetensors");
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..bytes.len() - 1]).unwrap();
    let again = embert(folder.path(), "train --resume_from_checkpoint run");
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let message = stderr(&again);
    assert!(
        message.contains("warning: checkpoint skipped: run/checkpoint-18/optimizer.safetensors: damaged"),
        "{message}"
    );
    assert_same(&left(folder.path()), &expected, "from the last but one");

    let message = fails(folder.path(), 1, "train --resume_from_checkpoint run/checkpoint-99");
    assert!(message.contains("checkpoint-99"), "{message}");
    fs::create_dir(folder.path().join("empty")).unwrap();
    let message = fails(folder.path(), 2, "train --resume_from_checkpoint empty");
    assert!(message.contains("empty holds no checkpoint"), "{message}");
}

#[test]
fn two_processes_never_write_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn(folder.path(), &RUN.replace("--num_train_epochs 3", "--num_train_epochs 1000"));
    while !folder.path().join("run.partial/checkpoint-1").exists() {
        sleep(Duration::from_millis(1));
    }
    for flags in [RESUME, " --overwrite_output_dir"] {
        let message = fails(folder.path(), 2, &format!("{RUN}{flags}"));
        assert!(message.contains("run.partial: another process is training there"), "{message}");
    }
    assert!(child.try_wait().unwrap().is_none(), "the first goes on");
    child.kill().unwrap();
    child.wait().unwrap();
    succeeds(folder.path(), "train --output_dir run --resume_from_checkpoint last --max_steps 18");
}

#[test]
fn a_run_that_diverges_says_where_and_keeps_what_was_whole() {
    let folder = tempfile::tempdir().unwrap();
    let diverging = "--learning_rate 1e12 --warmup_ratio 0 --lr_scheduler_type constant --max_grad_norm 0";
    let message = fails(folder.path(), 4, &format!("{RUN} {diverging}"));
    for part in ["error: training diverged at step ", "learning rate 1e12", "training rows "] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    if let Some((_, path)) = message.trim().split_once("the last checkpoint is ") {
        succeeds(folder.path(), &format!("check --recipe {path}/../recipe.toml"));
    }
}
