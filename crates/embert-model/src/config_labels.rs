//! The labels in a config.json: read as far as they can be, because training replaces them; checked before inference.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::ModelError;

/// More labels than this are a mistake: a confusion matrix has as many squares.
const MOST_LABELS: usize = 4096;

/// The number of labels of a config.json that does not say it, as in transformers.
const DEFAULT_LABELS: usize = 2;

/// The supported `problem_type`.
pub(crate) const PROBLEM_TYPE: &str = "single_label_classification";

/// Why the head that a config.json describes cannot be used for single-label classification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFault {
    /// The config.json.
    pub path: PathBuf,
    /// What is wrong, by key.
    pub reason: String,
}

impl From<LabelFault> for ModelError {
    fn from(LabelFault { path, reason }: LabelFault) -> Self {
        Self::Config { path, reason }
    }
}

/// What a config.json says about labels.
pub(crate) struct ConfigLabels {
    /// The names by id; `LABEL_0` and so on if the file's cannot be used.
    pub(crate) names: Vec<String>,
    pub(crate) fault: Option<LabelFault>,
}

impl ConfigLabels {
    pub(crate) fn read(keys: &Map<String, Value>, path: &Path) -> Self {
        let value = |key| keys.get(key).unwrap_or(&Value::Null);
        let (names, names_fault) = match value("id2label") {
            Value::Null => counted(value("num_labels")),
            id2label => named(id2label),
        };
        let fault = check_problem_type(value("problem_type"))
            .and(names_fault.map_or(Ok(()), Err))
            .and_then(|()| check_names(&names));
        let fault = fault.err().map(|reason| LabelFault { path: path.into(), reason });
        Self { names, fault }
    }
}

/// The names of a file without `id2label`.
fn counted(num_labels: &Value) -> (Vec<String>, Option<String>) {
    let many = |count: &dyn std::fmt::Display| format!("{count} labels are more than {MOST_LABELS}");
    match num_labels.as_u64() {
        Some(count) if count <= MOST_LABELS as u64 => (numbered(count as usize), None),
        Some(count) => (numbered(DEFAULT_LABELS), Some(many(&count))),
        None if num_labels.is_null() => (numbered(DEFAULT_LABELS), None),
        None => {
            (numbered(DEFAULT_LABELS), Some(format!("num_labels is {num_labels}, not a number of labels")))
        }
    }
}

/// The names in `id2label`, or numbered ones and the reason why the file's cannot be used.
fn named(id2label: &Value) -> (Vec<String>, Option<String>) {
    let Some(entries) = id2label.as_object() else {
        return (numbered(DEFAULT_LABELS), Some("id2label is not an object of names by id".into()));
    };
    if entries.len() > MOST_LABELS {
        let reason = format!("{} labels are more than {MOST_LABELS}", entries.len());
        return (numbered(DEFAULT_LABELS), Some(reason));
    }
    let mut names = BTreeMap::new();
    for (id, name) in entries {
        match (id.parse::<usize>(), name_of(id, name)) {
            (Ok(id), Some(name)) => drop(names.insert(id, name)),
            (Err(_), _) => {
                return unusable(entries.len(), format!("id2label has the id {id:?}, not a number"));
            }
            (_, None) => return unusable(entries.len(), format!("id2label names {id} {name}, not text")),
        }
    }
    if !names.keys().copied().eq(0..entries.len()) {
        let last = entries.len().saturating_sub(1);
        return unusable(entries.len(), format!("id2label must name the ids 0 to {last} without a gap"));
    }
    (names.into_values().collect(), None)
}

fn unusable(count: usize, reason: String) -> (Vec<String>, Option<String>) {
    (numbered(count.max(DEFAULT_LABELS)), Some(reason))
}

/// Numbers and booleans as JSON writes them; a missing name is transformers' `LABEL_` and the id.
fn name_of(id: &str, name: &Value) -> Option<String> {
    match name {
        Value::String(name) => Some(name.clone()),
        Value::Number(_) | Value::Bool(_) => Some(name.to_string()),
        Value::Null => Some(format!("LABEL_{id}")),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|id| format!("LABEL_{id}")).collect()
}

fn check_problem_type(problem_type: &Value) -> Result<(), String> {
    match problem_type {
        Value::Null => Ok(()),
        found if found == PROBLEM_TYPE => Ok(()),
        found => {
            let found = found.as_str().map_or(found.to_string(), String::from);
            Err(format!("problem_type is {found}, and only {PROBLEM_TYPE} is supported"))
        }
    }
}

fn check_names(names: &[String]) -> Result<(), String> {
    match names.len() {
        0 => return Err("id2label names no labels, and a classifier needs two".into()),
        1 => {
            return Err("one label means regression, and only classification with two labels or more is \
                        supported"
                .into());
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(format!("id2label names two labels {name:?}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(config: Value, names: &[&str], fault: Option<&str>) {
        let read = ConfigLabels::read(config.as_object().unwrap(), Path::new("config.json"));
        assert_eq!(read.names, names, "{config}");
        match (read.fault, fault) {
            (None, None) => {}
            (Some(found), Some(part)) => assert!(found.reason.contains(part), "{config}: {}", found.reason),
            (found, _) => panic!("{config}: {found:?}"),
        }
    }

    #[test]
    fn names_that_are_unambiguous_can_be_used() {
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
    fn other_labels_are_read_and_faults() {
        let numbered = ["LABEL_0", "LABEL_1"];
        check(json!({"id2label": {}}), &[], Some("names no labels"));
        check(json!({"num_labels": 0}), &[], Some("names no labels"));
        check(json!({"num_labels": 1}), &["LABEL_0"], Some("one label means regression"));
        check(json!({"id2label": {"0": "only"}}), &["only"], Some("one label means regression"));
        check(json!({"num_labels": -1}), &numbered, Some("num_labels is -1"));
        check(json!({"num_labels": "3"}), &numbered, Some("num_labels is \"3\""));
        check(json!({"num_labels": 1_000_000_000_000_u64}), &numbered, Some("more than 4096"));
        check(json!({"id2label": {"0": "a", "2": "b"}}), &numbered, Some("without a gap"));
        check(json!({"id2label": {"0": "a", "00": "b"}}), &numbered, Some("without a gap"));
        check(json!({"id2label": {"1": "a", "2": "b"}}), &numbered, Some("without a gap"));
        check(json!({"id2label": {"0": "a", "1": "a"}}), &["a", "a"], Some("two labels \"a\""));
        check(json!({"id2label": {"0": "LABEL_1", "1": null}}), &["LABEL_1", "LABEL_1"], Some("two labels"));
        check(json!({"id2label": {"-1": "a", "0": "b"}}), &numbered, Some("the id \"-1\""));
        check(json!({"id2label": {"0": ["a"], "1": "b"}}), &numbered, Some("names 0 [\"a\"]"));
        check(json!({"id2label": ["a", "b"]}), &numbered, Some("not an object"));
        check(json!({"id2label": 3}), &numbered, Some("not an object"));
        for problem_type in [json!("regression"), json!("multi_label_classification"), json!("x"), json!(3)] {
            check(json!({ "problem_type": problem_type }), &numbered, Some("problem_type is "));
        }
    }
}
