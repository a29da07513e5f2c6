//! The tasks end to end: sentence pairs, several labels per text, and regression.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{fails, succeeds};

/// Flags for a tiny model and few rows.
const SMALL: &str = "--vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
                     --synthetic_reviews 250 --num_train_epochs 1";

/// A recipe, its problem type, a metric of its evaluation, arguments of `predict`, and a column of the result.
struct Task {
    recipe: &'static str,
    problem_type: &'static str,
    metric: &'static str,
    texts: &'static str,
    column: &'static str,
}

const TASKS: [Task; 3] = [
    Task {
        recipe: "quickstart-pairs",
        problem_type: "single_label_classification",
        metric: "eval_accuracy",
        texts: "good --text_pair dull",
        column: "label",
    },
    Task {
        recipe: "quickstart-multi-label",
        problem_type: "multi_label_classification",
        metric: "eval_f1_micro",
        texts: "good",
        column: "labels",
    },
    Task {
        recipe: "quickstart-regression",
        problem_type: "regression",
        metric: "eval_pearson",
        texts: "good",
        column: "prediction",
    },
];

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn last_line(printed: &str) -> Value {
    serde_json::from_str(printed.lines().last().unwrap()).unwrap()
}

#[test]
fn each_task_trains_evaluates_and_predicts() {
    for Task { recipe, problem_type, metric, texts, column } in TASKS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        succeeds(path, &format!("train --recipe {recipe} {SMALL} --output_dir run"));
        assert_eq!(json(&path.join("run/config.json"))["problem_type"], problem_type, "{recipe}");
        let results = json(&path.join("run/eval_results.json"));
        assert!(results[metric].is_number(), "{recipe}: {results}");
        let evaluated = last_line(&succeeds(path, "evaluate --model run"));
        assert_eq!(evaluated[metric], results[metric], "{recipe}");
        assert_eq!(evaluated["eval_loss"], results["eval_loss"], "{recipe}");
        let predicted = last_line(&succeeds(path, &format!("predict --model run {texts}")));
        assert!(!predicted[column].is_null(), "{recipe}: {predicted}");
    }
}

/// Fine-tunes a model with each feature of training, and continues from it.
#[test]
fn each_task_has_lora_gradient_checkpointing_bf16_and_accumulation() {
    for Task { recipe, metric, .. } in TASKS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        succeeds(path, &format!("train --recipe {recipe} {SMALL} --max_steps 2 --output_dir base"));
        let data = format!("--dataset {} --synthetic_reviews 120", json_of_recipe(path));
        for flags in [
            "--lora_r 2 --learning_rate 1e-3",
            "--gradient_checkpointing",
            "--bf16",
            "--per_device_train_batch_size 4 --gradient_accumulation_steps 4 --group_by_length",
        ] {
            let reading = reading(recipe);
            succeeds(
                path,
                &format!(
                    "train --model base {data} {reading} {flags} --max_steps 3 --do_eval --output_dir run \
                     --overwrite_output_dir"
                ),
            );
            let results = json(&path.join("run/eval_results.json"));
            assert!(results.get(metric).is_some(), "{recipe} {flags}: {results}");
            let evaluated = last_line(&succeeds(path, "evaluate --model run"));
            assert_eq!(evaluated["eval_loss"], results["eval_loss"], "{recipe} {flags}");
        }
    }
}

/// Returns the data set of the recipe of the model `base`.
fn json_of_recipe(path: &Path) -> String {
    let recipe: toml::Table = fs::read_to_string(path.join("base/recipe.toml")).unwrap().parse().unwrap();
    recipe["data"]["dataset_name"].as_str().unwrap().to_owned()
}

/// Returns the flags of a recipe for its texts.
fn reading(recipe: &str) -> &'static str {
    if recipe == "quickstart-pairs" {
        "--max_seq_length 128 --text_pair_column_name text_pair"
    } else {
        "--max_seq_length 96"
    }
}

#[test]
fn a_resumed_run_of_each_task_is_bit_identical() {
    for Task { recipe, .. } in TASKS {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let run = format!("train --recipe {recipe} {SMALL} --save_steps 4 --max_steps 7 --output_dir run");
        succeeds(path, &run);
        succeeds(path, "train --resume_from_checkpoint run/checkpoint-4 --output_dir again");
        let weights = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
        assert!(weights("run") == weights("again"), "{recipe}");
        let results = |run: &str| json(&path.join(run).join("eval_results.json"))["eval_loss"].clone();
        assert_eq!(results("run"), results("again"), "{recipe}");
    }
}

#[test]
fn fitted_thresholds_are_saved_with_the_model_and_can_be_overridden() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeeds(path, &format!("train --recipe quickstart-multi-label {SMALL} --output_dir run"));
    let thresholds = json(&path.join("run/config.json"))["thresholds"].clone();
    assert_eq!(thresholds.as_array().unwrap().len(), 5, "{thresholds}");
    let labels = |flags: &str| {
        last_line(&succeeds(path, &format!("predict --model run {flags} good")))["labels"].clone()
    };
    assert_eq!(labels("--threshold 0").as_array().unwrap().len(), 5);
    assert_eq!(labels("--threshold 0.999999").as_array().unwrap().len(), 0);
    let scores = last_line(&succeeds(path, "predict --model run good"));
    let expected = scores["scores"].as_array().unwrap().iter().zip(thresholds.as_array().unwrap());
    let expected = expected.filter(|(score, threshold)| score.as_f64() >= threshold.as_f64()).count();
    assert_eq!(labels("").as_array().unwrap().len(), expected);
    let top = last_line(&succeeds(path, "predict --model run --top_k 2 good"));
    assert_eq!(top["top_labels"].as_array().unwrap().len(), 2);
    assert!(
        top["scores"].is_null() && top["top_scores"][0].as_f64() >= top["top_scores"][1].as_f64(),
        "{top}"
    );
    for (flags, expected) in [
        ("--recipe quickstart --fit_threshold f1", "multi-label"),
        ("--recipe quickstart --threshold 0.4", "multi-label"),
        ("--recipe quickstart-multi-label --eval_strategy no", "--do_eval"),
        ("--recipe quickstart-multi-label --threshold 0.4", "use one of them"),
    ] {
        for command in ["train", "check"] {
            let message = fails(path, 2, &format!("{command} {flags} {SMALL} --output_dir other"));
            assert!(
                message.contains(expected) && message.lines().count() == 1,
                "{command} {flags}: {message}"
            );
        }
    }
    let message = fails(path, 2, "evaluate --model run --fit_threshold f1");
    assert!(message.contains("unknown flag --fit_threshold"), "{message}");
}

#[test]
fn a_given_threshold_is_saved_with_the_model_also_without_an_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        (0..20).map(|n| format!("word {n},{},{}\n", n % 2, usize::from(n % 3 == 0))).collect::<String>();
    fs::write(folder.path().join("rows.csv"), format!("text,river,apple\n{rows}")).unwrap();
    for (number, evaluates) in ["--eval_strategy no", "--eval_strategy epoch"].into_iter().enumerate() {
        let flags = format!("--label_columns river,apple --threshold 0.25 --max_steps 1 {evaluates}");
        let train =
            format!("train {} --train_file rows.csv {flags} --output_dir run{number}", crate::tiny::SHAPE);
        let output = crate::embert(folder.path(), &train);
        let message = crate::stderr(&output);
        assert!(output.status.success() && !message.contains("threshold has no effect"), "{message}");
        let config = json(&folder.path().join(format!("run{number}/config.json")));
        assert_eq!(config["thresholds"], serde_json::json!([0.25, 0.25]), "{evaluates}");
    }
}

/// Writes a file, and checks that training on it with these flags gives this problem type and these labels.
#[track_caller]
fn check_labels(content: &str, name: &str, flags: &str, problem_type: &str, labels: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join(name), content).unwrap();
    let shape = crate::tiny::SHAPE;
    succeeds(
        path,
        &format!("train {shape} --train_file {name} {flags} --max_steps 1 --do_eval --output_dir run"),
    );
    let config = json(&path.join("run/config.json"));
    assert_eq!(config["problem_type"], problem_type, "{flags}");
    let found = config["id2label"].as_object().unwrap().values().map(|name| name.as_str().unwrap());
    assert_eq!(found.collect::<Vec<_>>(), labels, "{flags}");
}

#[test]
fn labels_are_read_in_every_layout() {
    let rows = |row: &dyn Fn(usize) -> String| (0..20).map(row).collect::<String>();
    let word = |n: usize| ["apple", "river", "stone"][n % 3];
    let jsonl = rows(&|n| format!("{{\"text\": \"{} {n}\", \"labels\": [\"{}\"]}}\n", word(n), word(n)));
    let multi = "multi_label_classification";
    check_labels(&jsonl, "a.jsonl", "--label_column_name labels", multi, &["apple", "river", "stone"]);
    let cells =
        "text,labels\n".to_owned() + &rows(&|n| format!("{} {n},{};{}\n", word(n), word(n), word(n + 1)));
    let flags = "--label_column_name labels --label_separator ;";
    check_labels(&cells, "a.csv", flags, multi, &["apple", "river", "stone"]);
    let flag_columns = "text,river,apple\n".to_owned()
        + &rows(&|n| format!("{} {n},{},{}\n", word(n), n % 3 % 2, usize::from(n % 3 == 0)));
    check_labels(&flag_columns, "a.csv", "--label_columns river,apple", multi, &["river", "apple"]);
    let score = "text,score\n".to_owned() + &rows(&|n| format!("{} {n},{}.5\n", word(n), n % 3));
    check_labels(&score, "a.csv", "--label_column_name score", "regression", &["LABEL_0"]);
    let stars = "text,stars\n".to_owned() + &rows(&|n| format!("{} {n},{}\n", word(n), n % 3));
    let flags = "--label_column_name stars --do_regression";
    check_labels(&stars, "a.csv", flags, "regression", &["LABEL_0"]);
    let single = "single_label_classification";
    let flags = "--label_column_name stars --label_map 0=bad,1=fair,2=good";
    check_labels(&stars, "a.csv", flags, single, &["bad", "fair", "good"]);
}

#[test]
fn columns_are_joined_and_options_of_csv_are_flags() {
    let rows = |row: &dyn Fn(usize) -> String| (0..20).map(row).collect::<String>();
    let kind = |n: usize| ["apple", "river"][n % 2];
    let single = "single_label_classification";
    let names = ["apple", "river"];
    let joined = "title,body,label\n".to_owned() + &rows(&|n| format!("{n},{},{}\n", kind(n), kind(n)));
    check_labels(&joined, "a.csv", "--text_column_names title,body", single, &names);
    let semicolons = "text;label\n".to_owned() + &rows(&|n| format!("{} {n};{}\n", kind(n), kind(n)));
    check_labels(&semicolons, "a.csv", "--csv_separator ;", single, &names);
    let headless = rows(&|n| format!("{} {n},{}\n", kind(n), kind(n)));
    check_labels(&headless, "a.csv", "--csv_column_names text,label", single, &names);
    let array = format!(
        "{{\"data\": [{}]}}",
        rows(&|n| format!("{{\"text\": \"{} {n}\", \"label\": \"{}\"}},", kind(n), kind(n)))
            .trim_end_matches(',')
    );
    check_labels(&array, "a.json", "--json_field data", single, &names);
    let fast_text = rows(&|n| format!("__label__{} {} {n}\n", kind(n), kind(n)));
    check_labels(&fast_text, "a.txt", "", single, &names);
}

/// Writes a local copy of GLUE's layout with a test split without labels.
#[test]
fn a_glue_task_sets_columns_labels_and_split() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("glue/mrpc")).unwrap();
    for (split, rows, label) in [("train", 24, None), ("validation", 8, None), ("test", 8, Some(-1))] {
        let line = |n: usize| {
            let label = label.unwrap_or((n % 2) as i32);
            format!(
                "{{\"sentence1\": \"film {n}\", \"sentence2\": \"movie {n}\", \"label\": {label}, \"idx\": {n}}}\n"
            )
        };
        let rows = (0..rows).map(line).collect::<String>();
        fs::write(path.join(format!("glue/mrpc/{split}.jsonl")), rows).unwrap();
    }
    let shape = crate::tiny::SHAPE;
    let printed = succeeds(
        path,
        &format!("train {shape} --task_name mrpc --dataset glue --max_steps 2 --do_eval --output_dir run"),
    );
    assert!(printed.contains("eval (split validation): 8 texts"), "{printed}");
    let config = json(&path.join("run/config.json"));
    assert_eq!(config["id2label"]["1"], "equivalent");
    succeeds(path, "predict --model run film --text_pair movie");
    let message =
        fails(path, 2, &format!("train {shape} --task_name mrcp --dataset glue --output_dir other"));
    assert!(message.contains("mrcp") && message.contains("mrpc"), "{message}");
}

const MNLI: [&str; 3] = ["entailment", "neutral", "contradiction"];

/// Trains on MNLI, and checks the results of both evaluations.
fn check_mnli(folder: &Path, dataset: &str) {
    let shape = crate::tiny::SHAPE;
    let printed = succeeds(
        folder,
        &format!(
            "train {shape} --task_name mnli --dataset {dataset} --max_steps 2 --do_eval --output_dir run"
        ),
    );
    assert!(
        printed.contains("validation_mismatched): 6 texts")
            || printed.contains("dev_mismatched.tsv): 6 texts"),
        "{printed}"
    );
    let results = json(&folder.join("run/eval_results.json"));
    let evaluated = succeeds(folder, "evaluate --model run");
    let matched: serde_json::Value = serde_json::from_str(evaluated.lines().last().unwrap()).unwrap();
    assert_eq!(results["eval_loss"], matched["eval_loss"], "{results}");
    assert_ne!(results["eval_loss_mm"], results["eval_loss"]);
    assert!(results["eval_accuracy_mm"].is_number() && results["eval_loss_mm"].is_number(), "{results}");
    assert_eq!(json(&folder.join("run/config.json"))["id2label"]["2"], "contradiction");
}

#[test]
fn mnli_is_evaluated_on_both_of_its_validation_splits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("glue/mnli")).unwrap();
    for (split, rows) in [("train", 24), ("validation_matched", 9), ("validation_mismatched", 6)] {
        let line = |n: usize| {
            format!("{{\"premise\": \"film {n}\", \"hypothesis\": \"{split}\", \"label\": {}}}\n", n % 3)
        };
        fs::write(path.join(format!("glue/mnli/{split}.jsonl")), (0..rows).map(line).collect::<String>())
            .unwrap();
    }
    check_mnli(path, "glue");
}

#[test]
fn the_original_tsv_files_of_glue_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir_all(path.join("original/MNLI")).unwrap();
    for (file, rows) in [("train", 24), ("dev_matched", 9), ("dev_mismatched", 6)] {
        let line = |n: usize| format!("{n}\tfilm \"{n}\t{file}\t{}\n", MNLI[n % 3]);
        let rows =
            "index\tsentence1\tsentence2\tgold_label\n".to_owned() + &(0..rows).map(line).collect::<String>();
        fs::write(path.join(format!("original/MNLI/{file}.tsv")), rows).unwrap();
    }
    check_mnli(path, "original");
    fs::create_dir_all(path.join("original/CoLA")).unwrap();
    for (file, rows) in [("train", 24), ("dev", 8)] {
        let rows = (0..rows).map(|n| format!("gj04\t{}\t\tThe \"film {n}\n", n % 2)).collect::<String>();
        fs::write(path.join(format!("original/CoLA/{file}.tsv")), rows).unwrap();
    }
    let (shape, data) = (crate::tiny::SHAPE, "--task_name cola --dataset original/CoLA");
    let printed = succeeds(path, &format!("train {shape} {data} --max_steps 2 --do_eval --output_dir cola"));
    assert!(printed.contains("train: 24 texts") && printed.contains("dev.tsv): 8 texts"), "{printed}");
    assert_eq!(json(&path.join("cola/config.json"))["id2label"]["0"], "unacceptable");
}

#[test]
fn the_validation_split_is_evaluated_if_the_test_split_has_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (split, labels) in [("train", ["a", "b"]), ("validation", ["a", "b"]), ("test", ["", ""])] {
        fs::create_dir_all(path.join("data")).unwrap();
        crate::tiny::write_csv(&path.join("data"), &format!("{split}.csv"), &labels, 12);
    }
    let shape = crate::tiny::SHAPE;
    let printed =
        succeeds(path, &format!("train {shape} --dataset data --max_steps 1 --do_eval --output_dir run"));
    assert!(
        printed.contains("eval (split validation, because there is no test with labels): 12"),
        "{printed}"
    );
    fails(
        path,
        3,
        &format!("train {shape} --dataset data --split test --train_split_name test --output_dir no"),
    );
}
