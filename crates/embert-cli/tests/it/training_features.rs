//! The best model, early stopping, freezing, curves and warnings of the binary.

use std::fs;
use std::path::Path;

use crate::tiny::{SHAPE, write_csv};
use crate::{embert, fails, stderr, stdout, succeeds};

const TINY: &str = "--recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 2 --intermediate_size 32 \
                    --synthetic_reviews 200 --output_dir run";

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Asserts success. Returns standard error.
#[track_caller]
fn warnings(folder: &Path, arguments: &str) -> String {
    let output = embert(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", stderr(&output));
    stderr(&output)
}

#[test]
fn a_run_stops_early_with_its_best_weights_and_draws_its_curves() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "--num_train_epochs 30 --learning_rate 0.05 --load_best_model_at_end --metric_for_best_model \
                     eval_accuracy --early-stopping-patience 2 --save_strategy epoch --save_total_limit 1";
    let printed = succeeds(folder.path(), &format!("train {TINY} {arguments}"));
    assert!(printed.contains("stopped early after step "), "{printed}");
    let run = folder.path().join("run");
    let state = json(&run.join("trainer_state.json"));
    let best = state["best_global_step"].as_u64().unwrap();
    assert!(
        best + 20 <= state["global_step"].as_u64().unwrap(),
        "the run did not wait for two epochs of 10 steps"
    );
    assert_eq!(state["best_metric"], json(&run.join("eval_results.json"))["eval_accuracy"]);
    let checkpoint = format!("run/checkpoint-{best}");
    assert_eq!(state["best_model_checkpoint"], checkpoint.as_str());
    let names = fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("checkpoint-")).count(), 1);
    let weights = |path: &Path| fs::read(path.join("model.safetensors")).unwrap();
    assert!(weights(&run) == weights(&folder.path().join(checkpoint)));
    let curves = fs::read_to_string(run.join("curves.svg")).unwrap();
    assert!(curves.starts_with("<svg") && curves.contains("accuracy"), "{curves}");
}

#[test]
fn an_undefined_metric_is_a_warning_with_its_effect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 40);
    write_csv(path, "one.csv", &["a", "b"], 1);
    write_csv(path, "two.csv", &["a", "b"], 2);
    let values = |value: &dyn Fn(usize) -> f64| {
        (0..40).fold("text,label\n".to_owned(), |rows, row| format!("{rows}word {row},{:.2}\n", value(row)))
    };
    fs::write(path.join("values.csv"), values(&|row| row as f64 / 7.0)).unwrap();
    fs::write(path.join("constant.csv"), values(&|_| 0.25)).unwrap();
    let early =
        "was undefined in all evaluations: the run stopped early after step 3 of 5, with the last weights";
    let last = "was undefined in all evaluations: the weights are those of the last step";
    for (number, (train, eval, metric, flags, expected)) in [
        ("rows", "one", "eval_roc_auc", "--early_stopping_patience 2 --load_best_model_at_end", Some(early)),
        ("rows", "one", "eval_roc_auc", "--load_best_model_at_end", Some(last)),
        ("rows", "one", "eval_roc_auc", "", Some(last)),
        ("values", "constant", "eval_pearson", "--early_stopping_patience 2", Some(early)),
        ("values", "constant", "eval_spearman", "", Some(last)),
        ("values", "constant", "eval_mae", "--load_best_model_at_end", None),
        ("rows", "two", "eval_roc_auc", "--load_best_model_at_end", None),
    ]
    .into_iter()
    .enumerate()
    {
        let warnings = warnings(
            path,
            &format!(
                "train {SHAPE} --train_file {train}.csv --validation_file {eval}.csv --max_steps 5 --eval_strategy steps \
                 --eval_steps 1 --save_strategy steps --save_steps 1 --metric_for_best_model {metric} {flags} \
                 --output_dir run{number}"
            ),
        );
        match expected {
            Some(expected) => {
                assert!(warnings.contains(&format!("warning: {metric} {expected}")), "{warnings}")
            }
            None => assert!(!warnings.contains("undefined in all evaluations"), "{warnings}"),
        }
    }
}

#[test]
fn frozen_parameters_are_not_trained_and_unknown_patterns_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let run = |flags: &str| format!("train {TINY} --num_train_epochs 2 --overwrite_output_dir false {flags}");
    let message = fails(folder.path(), 2, &run("--freeze layer.0"));
    assert!(
        message.contains("freeze: no parameter name matches \"layer.0\"")
            && message.contains("bert.encoder.layer.1, bert.pooler.dense"),
        "{message}"
    );
    assert!(fails(folder.path(), 2, &run("--freeze *")).contains("freeze all parameters"));
    assert!(fails(folder.path(), 2, &run("--gradual_unfreezing bert")).contains("must be EPOCH:PATTERN"));
    let printed = succeeds(folder.path(), &run("--freeze bert --gradual_unfreezing 1:bert.encoder.layer.1"));
    assert!(
        printed.contains("trainable params: 66 ||")
            && printed.contains("epoch 1 unfreezes: trainable params: 6,"),
        "{printed}"
    );
}

#[test]
fn fp16_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["train", "check"] {
        let message = fails(folder.path(), 2, &format!("{command} {TINY} --fp16"));
        assert!(
            message.contains("--device cpu does not compute in fp16") && message.contains("--bf16"),
            "{message}"
        );
    }
    let message = fails(folder.path(), 2, &format!("train {TINY} --fp16 --bf16"));
    assert!(message.contains("fp16 is true; it must be false if bf16 is true"), "{message}");
}

#[test]
fn check_and_train_print_the_same_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let row = |row: usize| format!("\"text number {row}\",{}\n", row % 2);
    let table = |rows: std::ops::Range<usize>| "text,label\n".to_owned() + &rows.map(row).collect::<String>();
    fs::write(folder.path().join("train.csv"), table(0..72)).unwrap();
    fs::write(folder.path().join("eval.csv"), table(60..84)).unwrap();
    let flags = format!(
        "{TINY} --train_file train.csv --validation_file eval.csv --vocab_size 40 --per_device_train_batch_size 8 \
         --num_train_epochs 1 --warmup_steps 5 --gradual_unfreezing 1:bert"
    );
    let by_check = warnings(folder.path(), &format!("check {flags}"));
    let expected = [
        "warning: warm-up takes 5 of 9 steps (56 %)",
        "warning: gradual_unfreezing has \"1:bert\", and the run's last epoch is 0",
        "warning: 12 of 24 rows to evaluate on (50.0 %) are also training rows",
    ];
    assert_eq!(by_check.lines().count(), 3, "{by_check}");
    assert!(expected.iter().zip(by_check.lines()).all(|(begin, line)| line.starts_with(begin)), "{by_check}");
    let by_training = warnings(folder.path(), &format!("train {flags}"));
    assert!(by_training.starts_with(&by_check), "{by_training}");
}

#[test]
fn the_quickstart_causes_no_warnings() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(warnings(folder.path(), "check --recipe quickstart"), "");
}

#[test]
fn another_max_length_than_in_training_causes_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let flags = "--num_train_epochs 1 --save_strategy epoch";
    succeeds(folder.path(), &format!("train {TINY} {flags}"));
    assert_eq!(warnings(folder.path(), "predict --model run good"), "");
    assert_eq!(warnings(folder.path(), "predict --model run/checkpoint-10 good"), "");
    for command in
        ["predict --model run good", "evaluate --model run", "predict --model run/checkpoint-10 good"]
    {
        let message = warnings(folder.path(), &format!("{command} --max_seq_length 32"));
        assert!(
            message.starts_with("warning: max_seq_length is 32, and the model was trained with 96"),
            "{message}"
        );
    }
    let predicted = |flags: &str| stdout(&embert(folder.path(), &format!("predict --model {flags} good")));
    assert_eq!(predicted("run"), predicted("run/checkpoint-10"));
}

#[test]
fn the_recipe_of_a_run_repeats_it_without_new_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["apple", "river"], 40);
    for (index, settings) in
        ["--do_eval", "", "--learning_rate 1e-4 --eval_strategy epoch"].into_iter().enumerate()
    {
        let run = embert(
            path,
            &format!("train {SHAPE} --dataset rows.csv --max_steps 1 {settings} --output_dir run{index}"),
        );
        let again = embert(path, &format!("train --recipe run{index}/recipe.toml --output_dir again{index}"));
        assert!(again.status.success(), "{}", stderr(&again));
        let warnings = |output| stderr(output).lines().filter(|line| line.starts_with("warning")).count();
        assert_eq!(warnings(&again), warnings(&run), "{}", stderr(&again));
    }
}
