//! A resumed run is bit-identical to an uninterrupted one, wherever it was killed.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{embert, fails, stderr, succeeds};

/// Saves a checkpoint after each step, so that most of the time is spent saving. Also evaluates, logs at other steps than
/// it evaluates, keeps the best model and accumulates gradients.
const RUN: &str = "train --recipe quickstart --synthetic_reviews 60 --vocab_size 200 --hidden_size 16 \
    --num_hidden_layers 1 --intermediate_size 16 --num_train_epochs 3 --per_device_train_batch_size 4 \
    --gradient_accumulation_steps 2 --max_seq_length 32 --save_strategy steps --save_steps 1 --logging_steps 3 \
    --eval_strategy steps --eval_steps 4 --load_best_model_at_end --output_dir run";

const RESUME: &str = " --resume_from_checkpoint last";

fn spawn(folder: &Path, arguments: &str) -> Child {
    crate::command(folder, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The results of a run that must not depend on interruptions: the final weights, the weights and the optimizer state of
/// each checkpoint, and the log without times.
#[derive(PartialEq)]
struct RunResult {
    files: Vec<(String, Vec<u8>)>,
    log: Vec<Value>,
}

fn result(folder: &Path) -> RunResult {
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
    RunResult { files, log: log.lines().map(without_times).collect() }
}

fn without_times(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line.as_object_mut()
        .unwrap()
        .retain(|key, _| !key.ends_with("_per_second") && !key.ends_with("_runtime"));
    line
}

#[track_caller]
fn assert_same(found: &RunResult, expected: &RunResult, what: &str) {
    let names = |result: &RunResult| result.files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}");
    assert_eq!(found.log, expected.log, "{what}");
    assert!(found == expected, "{what}: the weights differ");
}

/// A pseudorandom generator with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Starts or resumes the run and kills it. Returns whether it was still running, and whether it was saving.
fn kill(folder: &Path, arguments: &str, after: Duration) -> (bool, bool) {
    let mut child = spawn(folder, arguments);
    sleep(after);
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    let partial = fs::read_dir(folder.join("run.partial")).into_iter().flatten().flatten();
    let is_temporary = |path: &Path| path.extension().is_some_and(|extension| extension == "tmp");
    (was_running, partial.into_iter().any(|entry| is_temporary(&entry.path())))
}

#[test]
fn after_fifty_kills_the_results_are_bit_identical() {
    let uninterrupted = tempfile::tempdir().unwrap();
    let begin = Instant::now();
    succeeds(uninterrupted.path(), RUN);
    let microseconds = begin.elapsed().as_micros() as u64;
    let expected = result(uninterrupted.path());
    assert!(expected.files.len() > 30, "{}", expected.files.len());
    let (mut random, mut kills, mut while_saving, mut runs) = (Random(42), 0, 0, 0);
    while kills < 50 {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = RUN.to_owned();
        // About half of the runs are killed up to four times.
        for _ in 0..1 + random.below(2) * 3 {
            let after = Duration::from_micros(random.below(microseconds));
            let (was_running, was_saving) = kill(folder.path(), &arguments, after);
            kills += usize::from(was_running);
            while_saving += usize::from(was_running && was_saving);
            arguments = format!("{RUN}{RESUME}");
        }
        succeeds(folder.path(), &arguments);
        assert_same(&result(folder.path()), &expected, &format!("after {kills} kills"));
        runs += 1;
    }
    println!(
        "{kills} kills of {runs} runs, {while_saving} of them while saving; all results are bit-identical"
    );
    assert!(while_saving > 5, "{while_saving} of {kills} kills hit a save");
}

/// Returns true if a resumed run copies the checkpoints of the finished run to its directory, or has copied them.
fn copies_checkpoints(folder: &Path) -> bool {
    ["run.partial.tmp", "run.partial"].iter().any(|name| folder.join(name).exists())
}

#[test]
fn a_resumed_finished_run_has_all_its_checkpoints_or_none() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), RUN);
    let expected = result(folder.path());
    let arguments = format!("{RUN}{RESUME}");
    for kill in 0..5 {
        let mut child = spawn(folder.path(), &arguments);
        while !copies_checkpoints(folder.path()) {
            assert!(child.try_wait().unwrap().is_none(), "the run ended too soon");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let partial = folder.path().join("run.partial");
        let last = partial.join("checkpoint-18/state.json");
        assert!(!partial.exists() || last.exists(), "kill {kill} left only some checkpoints");
        succeeds(folder.path(), &arguments);
        assert_same(&result(folder.path()), &expected, "after the resume");
        assert!(!copies_checkpoints(folder.path()), "kill {kill} left a temporary directory");
    }
}

/// Runs until a checkpoint is saved, and sends a signal. Returns the exit code.
fn exit_code_after(folder: &Path, signal: &str) -> i32 {
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
fn a_run_resumed_after_a_signal_is_bit_identical() {
    let uninterrupted = tempfile::tempdir().unwrap();
    succeeds(uninterrupted.path(), RUN);
    let expected = result(uninterrupted.path());
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(exit_code_after(folder.path(), signal), code);
        let printed = succeeds(folder.path(), "train --output_dir run --resume_from_checkpoint last");
        assert!(printed.contains("resuming from run.partial/checkpoint-"), "{printed}");
        assert_same(&result(folder.path()), &expected, signal);
    }
}

/// Trains two steps, and sends a signal in the evaluation after them. Returns the exit code and standard error.
#[cfg(unix)]
fn stopped_in_final_evaluation(folder: &Path, arguments: &str, signal: &str) -> (i32, String) {
    let mut command = crate::command(folder, arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let is_trained = || {
        let log = fs::read_to_string(folder.join("run.partial/metrics.jsonl")).unwrap_or_default();
        log.contains("\"step\":2,")
    };
    while !is_trained() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended too soon");
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(30)); // the last checkpoint is saved, and the evaluation has begun
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), stderr(&output))
}

#[cfg(unix)]
#[test]
fn a_signal_in_the_final_evaluation_loses_no_weights() {
    const LONG_EVALUATION: &str = "train --recipe quickstart --synthetic_reviews 20000 --validation_share 0.9 \
        --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 --max_seq_length 64 \
        --max_steps 2 --logging_steps 1 --do_eval --eval_strategy no --output_dir run";
    for (flags, signal, code, place) in [
        ("--save_strategy no", "-INT", 130, "the model is saved to run without an evaluation"),
        (
            "--save_strategy steps --save_steps 1",
            "-TERM",
            143,
            "the checkpoint is run.partial/checkpoint-2: ",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = format!("{LONG_EVALUATION} {flags}");
        let (found, message) = stopped_in_final_evaluation(folder.path(), &arguments, signal);
        assert_eq!(found, code, "{message}");
        assert!(message.contains("interrupted in the evaluation of the trained model; "), "{message}");
        assert!(message.contains(place), "{message}");
        if !folder.path().join("run").exists() {
            succeeds(folder.path(), "train --output_dir run --resume_from_checkpoint last");
        }
        succeeds(folder.path(), "evaluate --model run --max_eval_samples 9");
    }
}

#[test]
fn a_resume_with_another_recipe_is_refused_with_the_differences() {
    let folder = tempfile::tempdir().unwrap();
    succeeds(folder.path(), RUN);
    let message =
        fails(folder.path(), 2, &format!("{RUN}{RESUME} --learning_rate 0.5 --seed 7 --weight_decay 0"));
    for part in ["train.learning_rate is 0.0007 there and 0.5 here", "train.seed is 42 there and 7 here"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    // The number of epochs and the intervals of logs and checkpoints may differ.
    let longer = " --num_train_epochs 4 --logging_steps 5 --save_steps 10 --output_dir run";
    succeeds(folder.path(), &format!("{RUN}{RESUME}{longer}"));
    let state = fs::read_to_string(folder.path().join("run/trainer_state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!((&state["global_step"], &state["epoch"]), (&24.into(), &4.0.into()));
}

#[test]
fn damaged_checkpoints_are_skipped_and_missing_ones_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let printed = succeeds(folder.path(), &format!("{RUN}{RESUME}"));
    assert!(printed.contains("there is no checkpoint of run yet: training begins"), "{printed}");
    let expected = result(folder.path());
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
    assert_same(&result(folder.path()), &expected, "from the second-newest checkpoint");

    let message = fails(folder.path(), 1, "train --resume_from_checkpoint run/checkpoint-99");
    assert!(message.contains("checkpoint-99"), "{message}");
    fs::create_dir(folder.path().join("empty")).unwrap();
    let message = fails(folder.path(), 2, "train --resume_from_checkpoint empty");
    assert!(message.contains("empty holds no checkpoint"), "{message}");
}

#[test]
fn two_processes_cannot_write_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn(folder.path(), &RUN.replace("--num_train_epochs 3", "--num_train_epochs 1000"));
    while !folder.path().join("run.partial/checkpoint-1").exists() {
        sleep(Duration::from_millis(1));
    }
    for flags in [RESUME, " --overwrite_output_dir"] {
        let message = fails(folder.path(), 2, &format!("{RUN}{flags}"));
        assert!(message.contains("run.partial: another process is writing there"), "{message}");
    }
    assert!(child.try_wait().unwrap().is_none(), "the first process ended");
    child.kill().unwrap();
    child.wait().unwrap();
    succeeds(folder.path(), "train --output_dir run --resume_from_checkpoint last --max_steps 18");
}

#[test]
fn a_diverged_run_reports_the_step_and_keeps_its_checkpoints() {
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
