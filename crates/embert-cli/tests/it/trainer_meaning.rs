//! Strategies and flags have the same meaning as in transformers' Trainer.

use std::fs;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{embert, fails, stderr, stdout, succeeds};

fn state(run: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(run.join("trainer_state.json")).unwrap()).unwrap()
}

/// Returns the steps of the evaluations in the log.
fn evaluated(run: &Path) -> Vec<u64> {
    let log = state(run)["log_history"].as_array().unwrap().clone();
    log.iter().filter(|line| line["eval_loss"].is_f64()).map(|line| line["step"].as_u64().unwrap()).collect()
}

/// Returns the steps of the checkpoints.
fn checkpoints(run: &Path) -> Vec<usize> {
    let names = fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut steps: Vec<usize> =
        names.filter_map(|name| name.strip_prefix("checkpoint-")?.parse().ok()).collect();
    steps.sort_unstable();
    steps
}

#[test]
fn with_strategy_steps_the_last_step_is_saved_and_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    let strategies = "--eval_strategy steps --save_strategy steps";
    for (max_steps, interval, expected) in [(5, 2, vec![2, 4, 5]), (4, 2, vec![2, 4]), (3, 10, vec![3])] {
        let run = format!("run-{max_steps}-{interval}");
        let steps = format!("--max_steps {max_steps} --eval_steps {interval} --save_steps {interval}");
        succeeds(path, &format!("train {SHAPE} --dataset rows.csv {strategies} {steps} --output_dir {run}"));
        assert_eq!(
            evaluated(&path.join(&run)),
            expected.iter().map(|&n| n as u64).collect::<Vec<_>>(),
            "{steps}"
        );
        assert_eq!(checkpoints(&path.join(&run)), expected, "{steps}");
    }
    let best = "--max_steps 5 --eval_steps 4 --load_best_model_at_end --metric_for_best_model loss --learning_rate 1e-3";
    let printed =
        succeeds(path, &format!("train {SHAPE} --dataset rows.csv {strategies} {best} --output_dir best"));
    assert_eq!(state(&path.join("best"))["best_global_step"], 5, "{printed}");
}

#[test]
fn with_strategy_no_nothing_is_evaluated_or_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    for strategy in ["", "--eval_strategy no"] {
        let run = format!("run{}", strategy.len());
        let output = embert(
            path,
            &format!("train {SHAPE} --dataset rows.csv {strategy} --max_steps 2 --output_dir {run}"),
        );
        let printed = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(printed.contains("train: 40 texts") && !printed.contains("eval_loss"), "{printed}");
        assert!(printed.contains("embert evaluate"), "{printed}");
        assert!(!path.join(&run).join("eval_results.json").exists());
        assert_eq!(evaluated(&path.join(&run)), [0; 0]);
    }
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --do_eval --max_steps 2 --output_dir once"));
    assert!(path.join("once/eval_results.json").exists());
    for flag in [
        "--validation_file rows.csv",
        "--test_file rows.csv",
        "--validation_share 0.3",
        "--max_eval_samples 3",
    ] {
        let name = flag.trim_start_matches("--").split(' ').next().unwrap();
        let output = embert(
            path,
            &format!("train {SHAPE} --dataset rows.csv {flag} --max_steps 1 --output_dir {name}"),
        );
        let message = stderr(&output);
        assert!(message.contains(name) && message.contains("eval_strategy"), "{flag}: {message}");
    }
}

#[test]
fn settings_without_effect_cause_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    for (flags, names) in [
        ("--eval_steps 5", &["eval_steps", "eval_strategy"][..]),
        ("--eval_steps 5 --eval_strategy epoch", &["eval_steps", "eval_strategy"]),
        ("--metric_for_best_model f1", &["metric_for_best_model"]),
        ("--early_stopping_threshold 0.1 --eval_strategy epoch", &["early_stopping_threshold", "patience"]),
        ("--save_steps 7 --save_strategy epoch", &["save_steps", "save_strategy"]),
        ("--warmup_ratio 0.05 --warmup_steps 1", &["warmup_ratio", "warmup_steps"]),
        (
            "--test_file rows.csv --validation_file rows.csv --eval_strategy epoch",
            &["test_file", "validation_file"],
        ),
        ("--validation_share 0.3 --validation_file rows.csv --eval_strategy epoch", &["validation_share"]),
        ("--train_split_name other", &["train_split_name", "splits"]),
        ("--split validation --eval_strategy epoch", &["test_split_name", "splits"]),
        ("--synthetic_reviews 50", &["synthetic_reviews"]),
    ] {
        let checked = embert(path, &format!("check {SHAPE} --dataset rows.csv {flags}"));
        let message = stderr(&checked);
        assert_eq!(checked.status.code(), Some(0), "{flags}: {message}");
        let line = message.lines().find(|line| names.iter().all(|name| line.contains(name)));
        assert!(line.is_some_and(|line| line.starts_with("warning: ")), "{flags}: {message}");
    }
    let without_warning = embert(path, &format!("check {SHAPE} --dataset rows.csv --eval_strategy epoch"));
    assert!(!stderr(&without_warning).contains("no effect"), "{}", stderr(&without_warning));
    for recipe in ["imdb-bert-500", "quickstart", "imdb"] {
        let message = stderr(&embert(
            path,
            &format!("check {SHAPE} --recipe {recipe} --dataset rows.csv --max_steps 3"),
        ));
        assert!(
            !message.contains("no effect"),
            "the user did not set the keys of a built-in recipe: {message}"
        );
    }
}

#[test]
fn flags_of_transformers_without_effect_are_accepted_with_a_note() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    let flags = "--do_train --report_to none --overwrite_cache --fp16_opt_level O1 --optim adamw_torch \
                 --dataloader-num-workers 4 --logging_dir logs --max_steps -1 --num_train_epochs 1 --fp16 False";
    let output = embert(path, &format!("train {SHAPE} --dataset rows.csv {flags} --output_dir run"));
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{message}");
    for flag in ["--do_train", "--report_to none", "--optim adamw_torch", "--dataloader_num_workers 4"] {
        assert!(message.contains(flag), "{flag}: {message}");
    }
    assert_eq!(state(&path.join("run"))["global_step"], 5);
    for (flags, expected) in [
        ("--optim adafactor", "--optim adafactor is not supported"),
        ("--do_evl", "did you mean --do_eval?"),
        ("--batch_size 4", "did you mean --per_device_train_batch_size?"),
        (
            "--neftune_noise_alpha 5",
            "unknown flag --neftune_noise_alpha; `embert train --help` lists the flags",
        ),
        ("--load_best_model_at_end", "eval_strategy \"epoch\""),
        ("--early_stopping_patience 2", "eval_strategy"),
    ] {
        let message = fails(path, 2, &format!("train {SHAPE} --dataset rows.csv {flags} --output_dir no"));
        assert!(message.contains(expected) && message.lines().count() == 1, "{flags}: {message}");
    }
}

#[test]
fn a_refused_resume_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    let train = format!("train {SHAPE} --dataset rows.csv --output_dir run");
    succeeds(path, &format!("{train} --save_strategy no --num_train_epochs 1"));
    let resume = "--resume_from_checkpoint last";
    let message = fails(path, 2, &format!("train --output_dir run {resume}"));
    assert!(message.contains("finished run without checkpoints"), "{message}");
    let message = fails(path, 2, &format!("train --output_dir nowhere {resume}"));
    assert!(message.contains("no checkpoint of nowhere"), "{message}");
    succeeds(path, &format!("{train} --overwrite_output_dir --save_strategy epoch --num_train_epochs 2"));
    let message = fails(path, 2, &format!("train --output_dir run {resume} --num_train_epochs 1"));
    assert!(message.contains("step 10"), "{message}");
    assert!(!path.join("run.partial").exists());
    write_csv(path, "rows.csv", &["a", "b"], 44);
    fails(path, 2, &format!("train --output_dir run {resume} --num_train_epochs 3"));
    assert!(!path.join("run.partial").exists(), "a refused resume leaves no unfinished run");
    write_csv(path, "rows.csv", &["a", "b"], 40);
    succeeds(path, &format!("train --output_dir run {resume} --num_train_epochs 3"));
}
