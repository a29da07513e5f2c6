//! Further training keeps a model's head, its labels and their order, or reports an error.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tiny::{SHAPE, write_csv};
use crate::{fails, stderr, succeeds};

/// A learning rate of 0: the run does not change the weights.
const STILL: &str = "--learning_rate 0 --max_steps 1 --max_seq_length 32 --eval_strategy epoch";
/// Enough training to reach an accuracy of 1.
const LEARNS: &str = "--learning_rate 1e-2 --num_train_epochs 8 --eval_strategy epoch";

/// Trains a model in `model` with the labels "pos" (id 0) and "neg" (id 1), which are not in sorted order.
fn model(folder: &Path) {
    write_csv(folder, "sorted.csv", &["first", "second"], 60);
    succeeds(folder, &format!("train {SHAPE} --dataset sorted.csv {LEARNS} --output_dir model"));
    rename_labels(&folder.join("model/config.json"));
}

fn rename_labels(config: &Path) {
    let text = fs::read_to_string(config).unwrap();
    fs::write(config, text.replace("\"first\"", "\"pos\"").replace("\"second\"", "\"neg\"")).unwrap();
}

/// Trains a model in `base` and an adapter of it in `model`, with the same labels.
fn adapter(folder: &Path) {
    write_csv(folder, "sorted.csv", &["first", "second"], 60);
    succeeds(folder, &format!("train {SHAPE} --dataset sorted.csv --max_steps 1 --output_dir base"));
    let lora = "--lora_r 4 --lora_target_modules query,value --max_seq_length 32";
    succeeds(folder, &format!("train --model base --dataset sorted.csv {lora} {LEARNS} --output_dir model"));
    let config = fs::read_dir(folder.join("model")).unwrap().map(|entry| entry.unwrap().path());
    config.filter(|path| path.ends_with("model_config.json")).for_each(|path| rename_labels(&path));
}

fn results(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("all_results.json")).unwrap()).unwrap()
}

fn check(folder: &Path, model: &str) {
    let train = |data: &str, more: &str| {
        format!("train {model} --dataset {data}.csv {STILL} {more} --output_dir further")
    };
    for (labels, expected) in [
        (["pos", "neg"], None),
        (["POS", "Neg"], Some("letter case")),
        (["0", "1"], Some("0 = pos")),
        (["0.0", "1.0"], Some("0 = pos")),
    ] {
        write_csv(folder, "rows.csv", &labels, 40);
        let output = crate::embert(folder, &train("rows", "--overwrite_output_dir"));
        assert_eq!(output.status.code(), Some(0), "{labels:?}: {}", stderr(&output));
        let found = results(&folder.join("further"));
        assert_eq!(found["eval_accuracy"], 1.0, "{labels:?}");
        assert_eq!(found["eval_per_class"].as_object().unwrap().keys().collect::<Vec<_>>(), ["pos", "neg"]);
        let messages = stderr(&output);
        assert!(expected.is_none_or(|expected| messages.contains(expected)), "{labels:?}: {messages}");
        assert!(expected.is_some() || !messages.contains("label"), "{labels:?}: {messages}");
        let evaluated = succeeds(folder, "evaluate --model further --dataset rows.csv");
        assert!(evaluated.contains("\"eval_accuracy\":1.0"), "{labels:?}: {evaluated}");
    }
    for labels in
        [&["neg", "pos", "neutral"][..], &["good", "bad"], &["0", "1", "2"], &["1", "2"], &["true", "maybe"]]
    {
        write_csv(folder, "rows.csv", labels, 40);
        let message = fails(folder, 3, &train("rows", "--overwrite_output_dir"));
        assert!(
            message.contains("--ignore_mismatched_sizes") && message.lines().count() == 1,
            "{labels:?}: {message}"
        );
        let printed = succeeds(folder, &train("rows", "--overwrite_output_dir --ignore_mismatched_sizes"));
        assert!(printed.contains("a new head"), "{labels:?}: {printed}");
        let classes = results(&folder.join("further"))["eval_per_class"].clone();
        assert_eq!(classes.as_object().unwrap().len(), labels.len(), "{labels:?}");
        succeeds(folder, "evaluate --model further");
    }
}

#[test]
fn a_fine_tuned_model_keeps_its_labels_and_their_order() {
    let folder = tempfile::tempdir().unwrap();
    model(folder.path());
    check(folder.path(), "--model model");
}

#[test]
fn an_adapter_keeps_its_labels_and_their_order() {
    let folder = tempfile::tempdir().unwrap();
    adapter(folder.path());
    check(folder.path(), "--model base --adapter model");
}

#[test]
fn data_with_some_of_the_labels_keeps_the_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "three.csv", &["a", "b", "c"], 60);
    succeeds(path, &format!("train {SHAPE} --dataset three.csv {LEARNS} --output_dir model"));
    write_csv(path, "two.csv", &["a", "b"], 40);
    succeeds(path, &format!("train --model model --dataset two.csv {STILL} --output_dir further"));
    let config = fs::read_to_string(path.join("further/config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["id2label"].as_object().unwrap().len(), 3);
    let same = "--ignore_mismatched_sizes --output_dir same";
    let printed = succeeds(path, &format!("train --model model --dataset two.csv {STILL} {same}"));
    assert!(!printed.contains("a new head"), "the head has all labels of the data: {printed}");
}

#[test]
fn a_model_without_a_classification_head_accepts_any_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "first.csv", &["a", "b"], 20);
    succeeds(path, &format!("train {SHAPE} --dataset first.csv --max_steps 1 --output_dir model"));
    let config = fs::read_to_string(path.join("model/config.json")).unwrap();
    let to_base = config.replace("BertForSequenceClassification", "BertForMaskedLM");
    fs::write(path.join("model/config.json"), to_base).unwrap();
    write_csv(path, "stars.csv", &["1", "2", "3", "4", "5"], 60);
    succeeds(path, &format!("train --model model --dataset stars.csv {STILL} --output_dir stars"));
    let config: Value =
        serde_json::from_str(&fs::read_to_string(path.join("stars/config.json")).unwrap()).unwrap();
    let names = config["id2label"].as_object().unwrap().values().map(|name| name.as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["1", "2", "3", "4", "5"]);
}

/// A model of two targets does not fit names; a multi-label model does, with one label per row.
#[test]
fn a_head_is_kept_if_its_problem_type_fits_the_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 20);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir model"));
    let single = "\"single_label_classification\"";
    let config = fs::read_to_string(path.join("model/config.json")).unwrap();
    let with = |problem_type: &str| {
        let config = config.replace(single, &format!("\"{problem_type}\""));
        fs::write(path.join("model/config.json"), config).unwrap();
    };
    let train =
        format!("train --model model --dataset rows.csv {STILL} --output_dir further --overwrite_output_dir");
    let new_head = "a new head is trained for the labels a, b";

    with("regression");
    assert!(fails(path, 3, "evaluate --model model --dataset rows.csv").contains("rows.csv: row 1"));
    succeeds(path, "predict --model model text");
    let message = fails(path, 3, &train);
    assert!(
        message.contains("rows.csv: row 1") && message.contains("--ignore_mismatched_sizes"),
        "{message}"
    );
    let printed = succeeds(path, &format!("{train} --ignore_mismatched_sizes"));
    assert!(printed.contains(new_head), "{printed}");
    succeeds(path, "evaluate --model further");

    with("multi_label_classification");
    succeeds(path, "evaluate --model model --dataset rows.csv");
    assert!(!succeeds(path, &train).contains(new_head));
    let further = fs::read_to_string(path.join("further/config.json")).unwrap();
    assert!(further.contains("multi_label_classification"), "{further}");
    let message = fails(path, 3, &format!("{train} --problem_type single_label_classification"));
    assert!(message.contains("--ignore_mismatched_sizes"), "{message}");
}

#[test]
fn labels_of_synthetic_reviews_must_match_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["a", "b"], 20);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir model"));
    let train = format!(
        "train --model model --dataset synthetic --synthetic_reviews 40 {STILL} --output_dir further"
    );
    let message = fails(path, 3, &train);
    assert!(message.contains("\"negative\"") || message.contains("\"positive\""), "{message}");
    assert!(message.contains("--ignore_mismatched_sizes"), "{message}");
    let printed = succeeds(path, &format!("{train} --ignore_mismatched_sizes"));
    assert!(printed.contains("a new head is trained for the labels negative, positive"), "{printed}");
    let message = fails(path, 3, "evaluate --model model --dataset synthetic --synthetic_reviews 40");
    assert!(message.contains("unknown label"), "{message}");
}

#[test]
fn an_adapter_given_as_the_model_is_an_error_that_names_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    adapter(folder.path());
    let message = fails(
        folder.path(),
        2,
        &format!("train --model model --dataset sorted.csv {STILL} --output_dir further"),
    );
    assert!(message.contains("--adapter model") && message.contains("--model base"), "{message}");
}

#[test]
fn a_run_from_an_encoder_without_a_head_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_csv(path, "rows.csv", &["first", "second"], 40);
    succeeds(path, &format!("train {SHAPE} --dataset rows.csv --max_steps 1 --output_dir base"));
    let config = path.join("base/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("BertForSequenceClassification", "BertModel")).unwrap();
    let flags = "--max_steps 4 --save_steps 2 --max_seq_length 32";
    succeeds(path, &format!("train --model base --dataset rows.csv {flags} --output_dir run"));
    succeeds(path, "train --resume_from_checkpoint run/checkpoint-2 --output_dir again");
    let weights = |run: &str| fs::read(path.join(run).join("model.safetensors")).unwrap();
    assert!(weights("run") == weights("again"), "the weights differ");
}
