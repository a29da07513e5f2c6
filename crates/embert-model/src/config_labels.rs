//! Labels, problem type and thresholds in config.json. Training accepts all of them; inference needs valid ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ModelError;
use crate::problem_type::ProblemType;

/// Maximum number of labels. The confusion matrix grows with its square.
const MAX_LABELS: usize = 4096;

/// Number of labels if config.json does not state it, as in transformers.
const DEFAULT_LABELS: usize = 2;

/// The reason why the labels of a config.json do not describe a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelError {
    /// The config.json.
    pub path: PathBuf,
    /// The key and the problem.
    pub reason: String,
}

impl From<LabelError> for ModelError {
    fn from(LabelError { path, reason }: LabelError) -> Self {
        Self::Config { path, reason }
    }
}

/// The labels of a config.json, and the error that prevents their use in inference.
pub(crate) struct ConfigLabels {
    /// The names by id; `LABEL_0`, `LABEL_1`, ... if those in the file are invalid.
    pub(crate) names: Vec<String>,
    /// `None` if the file has none, or an unknown one.
    pub(crate) problem_type: Option<ProblemType>,
    /// `None` if the file has none, or invalid ones.
    pub(crate) thresholds: Option<Vec<f32>>,
    pub(crate) error: Option<LabelError>,
}

impl ConfigLabels {
    pub(crate) fn read(keys: &Map<String, Value>, path: &Path) -> Self {
        let value = |key| keys.get(key).unwrap_or(&Value::Null);
        let (names, names_error) = match value("id2label") {
            Value::Null => names_by_count(value("num_labels")),
            id2label => names_by_id(id2label),
        };
        let (problem_type, type_error) = ok_and_err(problem_type(value("problem_type")));
        let known = problem_type.flatten().unwrap_or_else(|| ProblemType::of_num_labels(names.len()));
        let (thresholds, thresholds_error) = ok_and_err(thresholds(value("thresholds"), known, names.len()));
        let names_error = names_error.or_else(|| check_names(&names, known).err());
        let error = type_error.or(names_error).or(thresholds_error);
        let error = error.map(|reason| LabelError { path: path.into(), reason });
        Self { names, problem_type: problem_type.flatten(), thresholds: thresholds.flatten(), error }
    }
}

fn ok_and_err<T, E>(result: Result<T, E>) -> (Option<T>, Option<E>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

/// Returns the names for a file without `id2label`.
fn names_by_count(num_labels: &Value) -> (Vec<String>, Option<String>) {
    let too_many = |count: u64| format!("{count} labels; the maximum is {MAX_LABELS}");
    match num_labels.as_u64() {
        Some(count) if count <= MAX_LABELS as u64 => (default_names(count as usize), None),
        Some(count) => (default_names(DEFAULT_LABELS), Some(too_many(count))),
        None if num_labels.is_null() => (default_names(DEFAULT_LABELS), None),
        None => (
            default_names(DEFAULT_LABELS),
            Some(format!("num_labels is {num_labels}; expected an integer of 0 or more")),
        ),
    }
}

/// Returns the names in `id2label`; if they are invalid, default names and the reason.
fn names_by_id(id2label: &Value) -> (Vec<String>, Option<String>) {
    let Some(entries) = id2label.as_object() else {
        return (
            default_names(DEFAULT_LABELS),
            Some("id2label is not an object that maps ids to names".into()),
        );
    };
    if entries.len() > MAX_LABELS {
        let reason = format!("{} labels; the maximum is {MAX_LABELS}", entries.len());
        return (default_names(DEFAULT_LABELS), Some(reason));
    }
    let mut names = BTreeMap::new();
    for (id, name) in entries {
        match (id.parse::<usize>(), name_of(id, name)) {
            (Ok(id), Some(name)) => drop(names.insert(id, name)),
            (Err(_), _) => {
                return invalid(entries.len(), format!("id2label has the id {id:?}, which is not a number"));
            }
            (_, None) => {
                return invalid(
                    entries.len(),
                    format!("id2label maps {id} to {name}, which is not a string"),
                );
            }
        }
    }
    if !names.keys().copied().eq(0..entries.len()) {
        let last = entries.len().saturating_sub(1);
        return invalid(entries.len(), format!("id2label must contain the ids 0 to {last} without gaps"));
    }
    (names.into_values().collect(), None)
}

fn invalid(count: usize, reason: String) -> (Vec<String>, Option<String>) {
    (default_names(count.max(DEFAULT_LABELS)), Some(reason))
}

/// Returns the name as a string; `LABEL_` and the id for `null`, as in transformers.
fn name_of(id: &str, name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.clone()),
        Value::Number(_) | Value::Bool(_) => Some(name.to_string()),
        Value::Null => Some(format!("LABEL_{id}")),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn default_names(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("LABEL_{id}")).collect()
}

fn problem_type(value: &Value) -> Result<Option<ProblemType>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(name) => name.parse().map(Some).map_err(|error| format!("{error}")),
        found => Err(format!(
            "problem_type is {found}; it must be {}",
            ProblemType::ALL.map(ProblemType::name).join(" or ")
        )),
    }
}

fn thresholds(
    value: &Value,
    problem_type: ProblemType,
    num_labels: usize,
) -> Result<Option<Vec<f32>>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let thresholds = Vec::<f32>::deserialize(value)
        .map_err(|_| format!("thresholds is {value}; it must be a list with one number for each label"))?;
    check_thresholds(&thresholds, problem_type, num_labels)
        .map_err(|reason| format!("thresholds: {reason}"))?;
    Ok(Some(thresholds))
}

/// Checks the decision thresholds of a model. The error is the problem and the valid values.
pub(crate) fn check_thresholds(
    thresholds: &[f32],
    problem_type: ProblemType,
    num_labels: usize,
) -> Result<(), String> {
    if problem_type != ProblemType::MultiLabelClassification {
        return Err(format!(
            "only multi-label models have decision thresholds, but problem_type is {problem_type}"
        ));
    }
    if thresholds.len() != num_labels {
        let found = thresholds.len();
        return Err(format!("{found} numbers for {num_labels} labels; give one for each label"));
    }
    match thresholds.iter().position(|threshold| !(0.0..=1.0).contains(threshold)) {
        Some(label) => Err(format!(
            "the threshold of label {label} is {}; it must be between 0 and 1",
            thresholds[label]
        )),
        None => Ok(()),
    }
}

fn check_names(names: &[String], problem_type: ProblemType) -> Result<(), String> {
    if names.is_empty() {
        return Err("id2label is empty; a model needs at least one label".into());
    }
    if names.len() < problem_type.min_labels() {
        return Err(format!("{problem_type} with one label; it needs at least two labels"));
    }
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(format!("id2label gives two ids the name {name:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(config: Value, names: &[&str], error: Option<&str>) {
        let read = ConfigLabels::read(config.as_object().unwrap(), Path::new("config.json"));
        assert_eq!(read.names, names, "{config}");
        match (read.error, error) {
            (None, None) => {}
            (Some(found), Some(part)) => assert!(found.reason.contains(part), "{config}: {}", found.reason),
            (found, _) => panic!("{config}: {found:?}"),
        }
    }

    #[test]
    fn unambiguous_names_have_no_error() {
        let numbered = ["LABEL_0", "LABEL_1"];
        check(json!({}), &numbered, None);
        check(json!({"id2label": null, "num_labels": null, "problem_type": null}), &numbered, None);
        check(json!({"num_labels": 3}), &["LABEL_0", "LABEL_1", "LABEL_2"], None);
        check(json!({"id2label": {"1": "b", "0": "a"}, "num_labels": 7}), &["a", "b"], None);
        check(json!({"id2label": {"0": 1, "1": 2.5, "2": true}}), &["1", "2.5", "true"], None);
        check(json!({"id2label": {"0": null, "1": null}}), &numbered, None);
        check(json!({"id2label": {"0": "a", "1": "b"}, "label2id": {"b": 0, "a": 7}}), &["a", "b"], None);
        check(json!({"id2label": {"0": "a", "1": "b"}, "label2id": [3]}), &["a", "b"], None);
        check(json!({"problem_type": "single_label_classification"}), &numbered, None);
        check(json!({"num_labels": 1}), &["LABEL_0"], None);
        check(
            json!({"id2label": {"0": "only"}, "problem_type": "multi_label_classification"}),
            &["only"],
            None,
        );
        check(json!({"id2label": {"0": "only"}, "problem_type": "regression"}), &["only"], None);
    }

    #[test]
    fn the_problem_type_is_that_of_the_file_or_of_the_number_of_labels() {
        let read = |config: Value| {
            let read = ConfigLabels::read(config.as_object().unwrap(), Path::new("config.json"));
            (read.problem_type, read.thresholds, read.error.map(|error| error.reason))
        };
        let multi = "multi_label_classification";
        assert_eq!(read(json!({})), (None, None, None));
        for problem_type in ProblemType::ALL {
            let found = read(json!({"problem_type": problem_type, "num_labels": 2}));
            assert_eq!(found, (Some(problem_type), None, None));
        }
        let (_, thresholds, error) = read(json!({"problem_type": multi, "thresholds": [0, 0.3]}));
        assert_eq!((thresholds, error), (Some(vec![0.0, 0.3]), None));
        assert_eq!(read(json!({"thresholds": null})), (None, None, None));
        for (config, expected) in [
            (json!({"thresholds": [0.5, 0.5]}), "problem_type is single_label_classification"),
            (json!({"problem_type": "regression", "thresholds": [0.5, 0.5]}), "problem_type is regression"),
            (json!({"problem_type": multi, "thresholds": [0.5]}), "thresholds: 1 numbers for 2 labels"),
            (
                json!({"problem_type": multi, "thresholds": [0.5, 1.5]}),
                "label 1 is 1.5; it must be between 0 and 1",
            ),
            (json!({"problem_type": multi, "thresholds": [-0.5, 1]}), "label 0 is -0.5"),
            (json!({"problem_type": multi, "thresholds": ["a", 1]}), "a list with one number"),
            (json!({"problem_type": multi, "thresholds": 0.5}), "a list with one number"),
            (json!({"problem_type": multi, "thresholds": {"a": 0.5}}), "a list with one number"),
        ] {
            let (_, thresholds, error) = read(config.clone());
            assert_eq!(thresholds, None, "{config}");
            assert!(error.as_ref().is_some_and(|error| error.contains(expected)), "{config}: {error:?}");
        }
    }

    #[test]
    fn invalid_labels_have_an_error() {
        let numbered = ["LABEL_0", "LABEL_1"];
        check(json!({"id2label": {}}), &[], Some("id2label is empty"));
        check(json!({"num_labels": 0}), &[], Some("id2label is empty"));
        let single = "single_label_classification";
        check(json!({"num_labels": 1, "problem_type": single}), &["LABEL_0"], Some("at least two labels"));
        check(
            json!({"id2label": {"0": "only"}, "problem_type": single}),
            &["only"],
            Some("at least two labels"),
        );
        check(json!({"num_labels": -1}), &numbered, Some("num_labels is -1"));
        check(json!({"num_labels": "3"}), &numbered, Some("num_labels is \"3\""));
        check(json!({"num_labels": 1_000_000_000_000_u64}), &numbered, Some("the maximum is 4096"));
        check(json!({"id2label": {"0": "a", "2": "b"}}), &numbered, Some("without gaps"));
        check(json!({"id2label": {"0": "a", "00": "b"}}), &numbered, Some("without gaps"));
        check(json!({"id2label": {"1": "a", "2": "b"}}), &numbered, Some("without gaps"));
        check(json!({"id2label": {"0": "a", "1": "a"}}), &["a", "a"], Some("two ids the name \"a\""));
        check(
            json!({"id2label": {"0": "LABEL_1", "1": null}}),
            &["LABEL_1", "LABEL_1"],
            Some("two ids the name"),
        );
        check(json!({"id2label": {"-1": "a", "0": "b"}}), &numbered, Some("the id \"-1\""));
        check(json!({"id2label": {"0": ["a"], "1": "b"}}), &numbered, Some("maps 0 to [\"a\"]"));
        check(json!({"id2label": ["a", "b"]}), &numbered, Some("not an object"));
        check(json!({"id2label": 3}), &numbered, Some("not an object"));
        for problem_type in [json!("Regression"), json!("ranking"), json!(3), json!(["regression"])] {
            check(json!({ "problem_type": problem_type }), &numbered, Some("problem_type is "));
        }
    }
}
