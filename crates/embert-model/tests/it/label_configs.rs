//! Labels in config.json: training accepts all of them; evaluation accepts only valid ones.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{AutoConfig, ModelError, ProblemType, from_pretrained_with_new_head};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixtures;

/// Returns a copy of a fixture with these keys changed in config.json.
fn configured(model: &str, keys: &Value) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(fixtures().join(model).join(file), directory.path().join(file)).unwrap();
    }
    let path = directory.path().join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for (key, value) in keys.as_object().unwrap() {
        config[key] = value.clone();
    }
    fs::write(path, config.to_string()).unwrap();
    directory
}

/// Returns keys of config.json and part of the error in evaluation, which is empty if evaluation accepts
/// them.
fn cases() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}), ""),
        (json!({"id2label": null, "num_labels": 1}), ""),
        (
            json!({"num_labels": 1, "id2label": null, "problem_type": "single_label_classification"}),
            "at least two",
        ),
        (json!({"id2label": {}}), "id2label is empty"),
        (json!({"id2label": {"0": "a", "2": "b", "3": "c"}}), "0 to 2 without gaps"),
        (json!({"id2label": {"0": "a", "1": "a", "2": "b"}}), "two ids the name \"a\""),
        (json!({"id2label": ["a", "b", "c"]}), "not an object"),
        (json!({"id2label": {"x": "a", "1": "b"}}), "the id \"x\""),
        (json!({"problem_type": "regression"}), ""),
        (json!({"problem_type": "multi_label_classification"}), ""),
        (json!({"problem_type": "multi_label_classification", "thresholds": [0.1, 0.2, 0.3]}), ""),
        (
            json!({"problem_type": "multi_label_classification", "thresholds": [0.1, 0.2]}),
            "2 numbers for 3 labels",
        ),
        (json!({"thresholds": [0.1, 0.2, 0.3]}), "only multi-label models"),
        (json!({"problem_type": "ranking"}), "problem_type is ranking"),
        (json!({"problem_type": 1}), "problem_type is 1"),
        (json!({"problem_type": null, "architectures": null}), ""),
        (json!({"id2label": {"0": 1, "1": 2, "2": 3}}), ""),
        (json!({"id2label": {"0": null, "1": null, "2": null}}), ""),
        (json!({"label2id": {"a": 7}}), ""),
        (json!({"label2id": null}), ""),
    ]
}

#[test]
fn training_accepts_all_labels_and_evaluation_only_valid_ones() {
    for model in ["tiny_bert", "tiny_distilbert"] {
        for (keys, expected) in cases() {
            let directory = configured(model, &keys);
            let mut config = AutoConfig::from_dir(directory.path()).unwrap();
            match config.check_labels() {
                Ok(()) => assert!(expected.is_empty(), "{keys}"),
                Err(error @ ModelError::Config { .. }) => {
                    let error = error.to_string();
                    assert!(!expected.is_empty() && error.contains(expected), "{keys}: {error}");
                    assert!(error.starts_with(&directory.path().display().to_string()), "{error}");
                }
                Err(error) => panic!("{keys}: {error}"),
            }
            config.set_labels(["no", "yes"]);
            config.check_labels().unwrap();
            let loaded = from_pretrained_with_new_head(directory.path(), &config, 1, &Device::flex());
            assert_eq!(loaded.unwrap().model.num_labels(), 2, "{keys}");
        }
    }
}

#[test]
fn a_config_with_another_file_name_has_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    for model in ["tiny_bert", "tiny_distilbert"] {
        let mut config = AutoConfig::from_dir(&fixtures().join(model)).unwrap();
        config.set_labels(["no", "yes"]);
        config.save(directory.path()).unwrap();
        config.save_as(directory.path(), "labels.json").unwrap();
        let [named, other] = ["config.json", "labels.json"].map(|name| directory.path().join(name));
        assert_eq!(fs::read(&named).unwrap(), fs::read(&other).unwrap());
        assert_eq!(AutoConfig::from_file(&other).unwrap().label_names(), ["no", "yes"]);
    }
    let error = AutoConfig::from_file(Path::new("absent/labels.json")).unwrap_err().to_string();
    assert!(error.starts_with("absent/labels.json: "), "{error}");
}

#[test]
fn problem_type_and_thresholds_survive_a_round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = AutoConfig::from_dir(&fixtures().join("tiny_bert")).unwrap();
    assert_eq!(config.problem_type(), ProblemType::SingleLabelClassification);
    for problem_type in ProblemType::ALL {
        config.set_problem_type(problem_type);
        config.save(directory.path()).unwrap();
        let read = AutoConfig::from_dir(directory.path()).unwrap();
        assert_eq!((read.problem_type(), read.thresholds()), (problem_type, None));
    }
    config.set_problem_type(ProblemType::MultiLabelClassification);
    config.set_thresholds(Some(vec![0.25, 0.1, 1.0])).unwrap();
    config.save(directory.path()).unwrap();
    let text = fs::read_to_string(directory.path().join("config.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["thresholds"], json!([0.25, 0.1, 1.0])); // not 0.10000000149
    let mut read = AutoConfig::from_dir(directory.path()).unwrap();
    assert_eq!(read.thresholds(), Some([0.25, 0.1, 1.0].as_slice()));
    for (thresholds, expected) in
        [(vec![0.5], "1 numbers for 3 labels"), (vec![0.5, f32::NAN, 0.5], "label 1 is NaN")]
    {
        let error = read.set_thresholds(Some(thresholds)).unwrap_err().to_string();
        assert!(error.starts_with("thresholds: ") && error.contains(expected), "{error}");
    }
    read.set_labels(["a", "b"]);
    assert_eq!(read.thresholds(), None);
    read.set_problem_type(ProblemType::Regression);
    let error = read.set_thresholds(Some(vec![0.5, 0.5])).unwrap_err().to_string();
    assert!(error.contains("only multi-label models"), "{error}");
}

#[test]
fn a_new_config_with_one_label_is_regression_unless_told_otherwise() {
    let mut config = AutoConfig::from_dir(&fixtures().join("tiny_bert")).unwrap();
    config.set_labels(["score"]);
    assert_eq!(config.problem_type(), ProblemType::Regression);
    config.set_problem_type(ProblemType::MultiLabelClassification);
    assert_eq!(config.problem_type(), ProblemType::MultiLabelClassification);
}
