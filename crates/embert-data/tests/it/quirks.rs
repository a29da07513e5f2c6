//! Odd but valid files: rows, order and labels, compared with what `datasets` and `run_classification.py` read.

use std::collections::BTreeSet;
use std::path::Path;

use embert_data::{Dataset, ProblemType, ReadOptions, Target, read};
use serde_json::Value;

use crate::is_supported;

/// Written by `fixtures/quirks/generate.py` with datasets 5.2.0, pandas 3.1.1 and pyarrow 26.0.1.
const CASES: &str = include_str!("fixtures/quirks/quirks.json");

/// A file, a reason, and the text and the label of each row.
type Difference = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Files that embert reads differently, the reason, and the text and label of each row. Rows without a label are dropped.
const DIFFERENCES: [Difference; 9] = [
    ("na_text.csv", "the text NA is a text, not a missing value", &[("NA", "1"), ("bad", "0")]),
    ("empty_text.csv", "an empty text is a text; a note names it", &[("", "1"), ("bad", "0")]),
    ("number_text.csv", "texts are never numbers", &[("1", "1"), ("2.50", "0")]),
    (
        "spaces_in_names.csv",
        "spaces around a cell are not part of the label",
        &[("good", "pos"), ("bad", "neg")],
    ),
    ("na_label.jsonl", "NA is a missing label in every format", &[("good", "pos"), ("fine", "neg")]),
    ("empty_label.jsonl", "an empty label is missing in every format", &[("good", "pos"), ("fine", "neg")]),
    ("inf.csv", "inf is not a number", &[("good", "inf"), ("bad", "1")]),
    ("columns.json", "an object of lists is a table, also on one line", &[("good", "1"), ("bad", "0")]),
    (
        "beyond_64_bits.csv",
        "integers may have more than 64 bits",
        &[("good", "99999999999999999999"), ("bad", "1")],
    ),
];

/// Files with floats that `datasets` reads as regression. Without a fraction, they are classes here, as missing values
/// turn integers into floats.
const WHOLE_FLOATS: [&str; 9] = [
    "empty_integer.csv",
    "exponents.csv",
    "floats.csv",
    "floats.jsonl",
    "floats.parquet",
    "inf.csv",
    "integers_and_floats.csv",
    "nan_label.csv",
    "null_label.csv",
];

/// A text and its labels, without the prefix `LABEL_`.
type Row = (String, BTreeSet<String>);

fn plain(name: &str) -> String {
    name.strip_prefix("LABEL_").unwrap_or(name).to_owned()
}

fn found_rows(dataset: &Dataset) -> Vec<Row> {
    let names = dataset.labels.names();
    let labels = |target: &Target| match target {
        Target::Values(values) => values.iter().map(f32::to_string).collect(),
        target => target.label_ids().iter().map(|&id| plain(&names[id])).collect(),
    };
    dataset.examples.iter().map(|example| (example.text.clone(), labels(&example.target))).collect()
}

fn label_of(value: &Value, names: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::String(name) => name.clone(),
        Value::Number(number) => {
            let id = number.as_u64().and_then(|id| names.get(usize::try_from(id).ok()?));
            let float = || number.as_f64().filter(|_| number.is_f64()).map(|float| float.to_string());
            id.map_or_else(|| float().unwrap_or(number.to_string()), |name| name.as_str().unwrap().to_owned())
        }
        other => panic!("{other}"),
    }
}

/// Returns the rows that have a label.
fn expected_rows(case: &Value) -> Vec<Row> {
    let rows = case["texts"].as_array().unwrap().iter().zip(case["labels"].as_array().unwrap());
    let rows = rows.filter(|(_, label)| !label.is_null());
    let labels = |label: &Value| match label {
        Value::Array(labels) => labels.iter().map(|label| label_of(label, &case["names"])).collect(),
        label => BTreeSet::from([label_of(label, &case["names"])]),
    };
    rows.map(|(text, label)| (text.as_str().unwrap_or("?").to_owned(), labels(label))).collect()
}

/// Returns `label_list` of run_classification.py, without the name of a missing label.
///
/// It is sorted as text. Here, integers are sorted by value, and booleans are in lower case.
fn expected_labels(case: &Value) -> Vec<String> {
    let list = case["label_list"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let mut list = list.filter(|name| *name != "None").collect::<Vec<_>>();
    if let Some(names) = case["names"].as_array() {
        list = names.iter().map(|name| name.as_str().unwrap()).collect();
    }
    let integers = list.iter().map(|name| name.parse::<i128>().ok()).collect::<Option<Vec<_>>>();
    if case["names"].is_null() && integers.is_some() {
        list.sort_by_key(|name| name.parse::<i128>().unwrap());
    }
    let is_boolean = list == ["False", "True"];
    list.into_iter().map(|name| if is_boolean { name.to_lowercase() } else { name.to_owned() }).collect()
}

#[test]
fn odd_files_are_read_as_in_datasets() {
    let document: Value = serde_json::from_str(CASES).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() > 80);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/quirks/files");
    let options = ReadOptions { drop_unlabelled: true, ..ReadOptions::default() };
    for case in cases {
        let file = case["file"].as_str().unwrap();
        if !is_supported(file) {
            continue;
        }
        let dataset = read(&folder.join(file), "train", &options, None)
            .unwrap_or_else(|error| panic!("{file}: {error}"))
            .dataset;
        let found = found_rows(&dataset);
        if let Some((_, reason, rows)) = DIFFERENCES.iter().find(|(other, ..)| *other == file) {
            let rows = rows.iter().map(|(text, label)| ((*text).to_owned(), BTreeSet::from([plain(label)])));
            assert_eq!(found, rows.collect::<Vec<_>>(), "{file}: {reason}");
            let is_equal = case["error"].is_null() && expected_rows(case) == found;
            assert!(!is_equal, "{file} is read as in datasets: remove it from the differences");
            continue;
        }
        assert_eq!(found, expected_rows(case), "{file}");
        let is_regression = case["is_regression"] == true && !WHOLE_FLOATS.contains(&file);
        assert_eq!(dataset.problem_type == ProblemType::Regression, is_regression, "{file}");
        if !case["label_list"].is_null() {
            let labels = dataset.labels.names().iter().map(|name| plain(name)).collect::<Vec<_>>();
            assert_eq!(labels, expected_labels(case), "{file}");
        }
    }
}
