//! Rows without a label: an error, or dropped with a note.

#[cfg(feature = "parquet")]
use std::sync::Arc;

#[cfg(feature = "parquet")]
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, StringArray};
use embert_data::ReadOptions;

#[cfg(feature = "parquet")]
use crate::parquet_files::{hub_file, labelled};
use crate::{files_of, message, notes, read_with, rows};

fn dropping() -> ReadOptions {
    ReadOptions { drop_unlabelled: true, ..ReadOptions::default() }
}

fn check(name: &str, content: impl AsRef<[u8]>, found: &str) {
    let content = content.as_ref();
    let expected = format!("{name}: row 2 has no label: column \"label\" is {found}");
    assert_eq!(message(name, content), expected);
    let read = read_with(name, content, &dropping(), None).unwrap();
    assert_eq!(notes(&read, name), [format!("{name}: dropped 1 of 3 rows, which have no label")], "{found}");
    assert_eq!(read.dataset.len(), 2, "{found}");
}

#[test]
fn missing_labels_are_errors_or_dropped_in_every_format() {
    for word in [
        "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan",
        "null",
    ] {
        for (name, content) in files_of(&["\"a\"", &format!("\"{word}\""), "\"b\""]) {
            check(name, content, &format!("{word:?}"));
        }
    }
    for labels in [["1", "\"\"", "2"], ["true", "\"  \"", "false"], ["\"a\"", "\"\"", "\"b\""]] {
        let [csv, tsv, _] = files_of(&labels);
        check(csv.0, csv.1, "empty");
        check(tsv.0, tsv.1, "empty");
    }
    for labels in [["1", "null", "2"], ["true", "null", "false"], ["\"a\"", "null", "\"b\""]] {
        let [.., (name, content)] = files_of(&labels);
        check(name, content, "null");
    }
    let without = "{\"text\": \"t\", \"label\": 1}\n{\"text\": \"t\"}\n{\"text\": \"t\", \"label\": 0}\n";
    check("a.jsonl", without, "null");
}

#[cfg(feature = "parquet")]
#[test]
fn nulls_and_nans_of_parquet_are_missing_labels() {
    let word: ArrayRef = Arc::new(StringArray::from(vec!["a", "N/A", "b"]));
    check("a.parquet", labelled(word), "\"N/A\"");
    let columns: [ArrayRef; 4] = [
        Arc::new(Float64Array::from(vec![0.0, f64::NAN, 1.0])),
        Arc::new(Int32Array::from(vec![Some(0), None, Some(1)])),
        Arc::new(BooleanArray::from(vec![Some(false), None, Some(true)])),
        Arc::new(StringArray::from(vec![Some("a"), None, Some("b")])),
    ];
    columns.into_iter().for_each(|column| check("a.parquet", labelled(column), "null"));
}

#[test]
fn minus_one_is_a_missing_label_only_if_the_file_has_label_names() {
    #[cfg(feature = "parquet")]
    check(
        "a.parquet",
        hub_file(vec![0, -1, 1]),
        "-1, which means no label on the hub, as in IMDb's unsupervised split",
    );
    for (name, content) in files_of(&["-1", "1"]) {
        let read = read_with(name, content, &dropping(), None).unwrap();
        assert_eq!(read.dataset.labels.names(), ["-1", "1"]);
    }
}

#[test]
fn a_known_label_is_never_missing() {
    let options = dropping();
    let known = ["None", "some"];
    let read = read_with("a.csv", "text,label\na,None\nb,some\nc,NA\n", &options, Some(&known)).unwrap();
    assert_eq!(rows(&read.dataset), [("a", 0), ("b", 1)]);
}

#[test]
fn a_file_without_labels_is_an_error() {
    for labels in [["\"\"", "\"NA\""], ["null", "null"]] {
        for (name, content) in files_of(&labels) {
            let error = read_with(name, content, &dropping(), None).unwrap_err().to_string();
            assert!(
                error.ends_with("none of the 2 rows has a label; choose another split or file"),
                "{error}"
            );
        }
    }
}
