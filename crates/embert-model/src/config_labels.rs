//! Labels in config.json. Training accepts all of them; inference needs valid ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::ModelError;

/// Maximum number of labels. The confusion matrix grows with its square.
const MAX_LABELS: usize = 4096;

/// Number of labels if config.json does not state it, as in transformers.
const DEFAULT_LABELS: usize = 2;

/// The supported `problem_type`.
pub(crate) const PROBLEM_TYPE: &str = "single_label_classification";

/// The reason why the labels of a config.json do not describe single-label classification.
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

/// Label names of a config.json, and the error that prevents their use in inference.
pub(crate) struct ConfigLabels {
    /// The names by id; `LABEL_0`, `LABEL_1`, ... if those in the file are invalid.
    pub(crate) names: Vec<String>,
    pub(crate) error: Option<LabelError>,
}

impl ConfigLabels {
    pub(crate) fn read(keys: &Map<String, Value>, path: &Path) -> Self {
        let value = |key| keys.get(key).unwrap_or(&Value::Null);
        let (names, names_error) = match value("id2label") {
            Value::Null => names_by_count(value("num_labels")),
            id2label => names_by_id(id2label),
        };
        let error = check_problem_type(value("problem_type"))
            .and(names_error.map_or(Ok(()), Err))
            .and_then(|()| check_names(&names));
        let error = error.err().map(|reason| LabelError { path: path.into(), reason });
        Self { names, error }
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

fn check_problem_type(problem_type: &Value) -> Result<(), String> {
    match problem_type {
        Value::Null => Ok(()),
        found if found == PROBLEM_TYPE => Ok(()),
        found => {
            let found = found.as_str().map_or(found.to_string(), String::from);
            Err(format!("problem_type is {found}; only {PROBLEM_TYPE} is supported"))
        }
    }
}

fn check_names(names: &[String]) -> Result<(), String> {
    match names.len() {
        0 => return Err("id2label is empty; a classifier needs at least two labels".into()),
        1 => {
            return Err(
                "one label means regression; only classification with at least two labels is supported"
                    .into(),
            );
        }
        _ => {}
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
    }

    #[test]
    fn invalid_labels_have_an_error() {
        let numbered = ["LABEL_0", "LABEL_1"];
        check(json!({"id2label": {}}), &[], Some("id2label is empty"));
        check(json!({"num_labels": 0}), &[], Some("id2label is empty"));
        check(json!({"num_labels": 1}), &["LABEL_0"], Some("one label means regression"));
        check(json!({"id2label": {"0": "only"}}), &["only"], Some("one label means regression"));
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
        for problem_type in [json!("regression"), json!("multi_label_classification"), json!("x"), json!(3)] {
            check(json!({ "problem_type": problem_type }), &numbered, Some("problem_type is "));
        }
    }
}
