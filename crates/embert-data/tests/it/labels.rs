//! Labels inferred from the values of the label column, in every format.

#[cfg(feature = "parquet")]
use std::sync::Arc;

#[cfg(feature = "parquet")]
use arrow_array::types::Float64Type;
#[cfg(feature = "parquet")]
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int64Array, PrimitiveArray,
    StringArray,
};
#[cfg(feature = "parquet")]
use embert_data::{Labels, Target};
use embert_data::{ProblemType, ReadOptions};

#[cfg(feature = "parquet")]
use crate::parquet_files::labelled;
use crate::{files_of, message, notes, read_content, read_with, rows};

#[test]
fn labels_are_the_sorted_values() {
    for (labels, names, ids) in [
        (&["0", "1", "1"][..], &["LABEL_0", "LABEL_1"][..], &[0, 1, 1][..]),
        (&["2", "0", "1"], &["LABEL_0", "LABEL_1", "LABEL_2"], &[2, 0, 1]),
        (&["5", "1", "2", "3", "4"], &["1", "2", "3", "4", "5"], &[4, 0, 1, 2, 3]),
        (&["1", "-1", "0"], &["-1", "0", "1"], &[2, 0, 1]),
        (&["10", "4000", "20"], &["10", "20", "4000"], &[0, 2, 1]),
        (&["10", "9", "100"], &["9", "10", "100"], &[1, 0, 2]),
        (&["1", "2"], &["1", "2"], &[0, 1]),
        (&["0", "2"], &["0", "2"], &[0, 1]),
        (&["1.0", "0.0"], &["LABEL_0", "LABEL_1"], &[1, 0]),
        (&["1.0", "2", "3e0"], &["1", "2", "3"], &[0, 1, 2]),
        (
            &["9223372036854775807", "-9223372036854775808"],
            &["-9223372036854775808", "9223372036854775807"],
            &[1, 0],
        ),
        (&["18446744073709551615", "0"], &["0", "18446744073709551615"], &[1, 0]),
        (&["true", "false"], &["false", "true"], &[1, 0]),
        (&["\"True\"", "\"FALSE\""], &["false", "true"], &[1, 0]),
        (&["\"pos\"", "\"neg\"", "\"mixed\""], &["mixed", "neg", "pos"], &[2, 1, 0]),
        (&["\"pos\"", "\"Pos\""], &["Pos", "pos"], &[1, 0]),
        (&["\"true\"", "\"false\"", "\"maybe\""], &["false", "maybe", "true"], &[2, 0, 1]),
    ] {
        for (name, content) in files_of(labels) {
            let dataset = read_content(name, content).unwrap();
            assert_eq!(dataset.labels.names(), names, "{name} {labels:?}");
            let found: Vec<_> =
                dataset.examples.iter().map(|example| example.target.label().unwrap()).collect();
            assert_eq!(found, ids, "{name} {labels:?}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_columns_give_the_same_labels() {
    let decimals = Decimal128Array::from(vec![100, 300]).with_precision_and_scale(5, 2).unwrap();
    let columns: [(ArrayRef, [&str; 2]); 7] = [
        (Arc::new(Int64Array::from(vec![1, 5])), ["1", "5"]),
        (Arc::new(Float32Array::from(vec![0.0, 1.0])), ["LABEL_0", "LABEL_1"]),
        (Arc::new(Float64Array::from(vec![-1.0, 1.0])), ["-1", "1"]),
        (Arc::new(PrimitiveArray::<Float64Type>::from(vec![2.0, 3.0])), ["2", "3"]),
        (Arc::new(decimals), ["1", "3"]),
        (Arc::new(BooleanArray::from(vec![false, true])), ["false", "true"]),
        (Arc::new(StringArray::from(vec!["False", "True"])), ["false", "true"]),
    ];
    for (column, names) in columns {
        let data_type = column.data_type().to_string();
        let dataset = read_content("a.parquet", labelled(column)).unwrap();
        assert_eq!(dataset.labels.names(), names, "{data_type}");
        assert_eq!(rows(&dataset), [("0", 0), ("1", 1)], "{data_type}");
    }
}

#[test]
fn csv_cells_are_names_unless_all_are_numbers() {
    for (labels, names) in [
        (["1", "unknown"], ["1", "unknown"]),
        (["1.50", "x"], ["1.50", "x"]),
        (["01", "a"], ["01", "a"]),
        (["1", "inf"], ["1", "inf"]),
        (["0", "true"], ["0", "true"]),
    ] {
        let content = format!("text,label\na,{}\nb, {} \n", labels[0], labels[1]);
        assert_eq!(read_content("a.csv", content).unwrap().labels.names(), names);
    }
}

#[test]
fn integers_in_quotes_are_text_in_jsonl() {
    let content = "{\"text\": \"a\", \"label\": \"4\"}\n{\"text\": \"b\", \"label\": \"1\"}\n";
    let dataset = read_content("a.jsonl", content).unwrap();
    assert_eq!(dataset.labels.names(), ["1", "4"]);
    assert_eq!(rows(&dataset), [("a", 1), ("b", 0)]);
}

#[test]
fn fractions_are_regression_with_a_note() {
    for (labels, row, value) in
        [(&["1", "2.5"][..], 2, "2.5"), (&["0.1", "0.10"], 1, "0.1"), (&["1e-3", "1"], 1, "0.001")]
    {
        for (name, content) in files_of(labels) {
            let read = read_with(name, content, &ReadOptions::default(), None).unwrap();
            assert_eq!(read.dataset.problem_type, ProblemType::Regression, "{name} {labels:?}");
            let found = notes(&read, name).concat();
            let start = format!(
                "{name}: the labels are read as numbers to predict (regression), because row {row} has "
            );
            assert!(found.starts_with(&start), "{found}");
            assert!(found.contains(value) || name != "a.jsonl", "{found}");
        }
    }
}

#[test]
fn fractions_are_errors_if_the_labels_are_known() {
    for (name, content) in files_of(&["1", "0.5"]) {
        let known = Some(&["1", "2"][..]);
        let error = read_with(name, content, &ReadOptions::default(), known).unwrap_err().to_string();
        let expected = "row 2: label 0.5 is a fraction, but classes are integers or names; \
                        problem_type regression reads numbers";
        assert!(error.ends_with(&format!("{name}: {expected}")), "{error}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn fractions_in_parquet_are_regression() {
    let column: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 0.25]));
    let dataset = read_content("a.parquet", labelled(column)).unwrap();
    assert_eq!(dataset.examples[1].target, Target::Values(vec![0.25]));
    assert_eq!(dataset.labels, Labels::numbered(1));
}

#[test]
fn labels_of_two_types_are_an_error() {
    for (labels, row, expected) in [
        (["1", "\"pos\""], 2, "label \"pos\" mixes text and integers in one label column"),
        (["\"1\"", "1"], 2, "label 1 mixes text and integers in one label column"),
        (["true", "1"], 2, "label 1 mixes booleans and integers in one label column"),
        (["\"no\"", "false"], 2, "label false mixes text and booleans in one label column"),
    ] {
        let [.., (name, content)] = files_of(&labels);
        assert_eq!(message(name, content), format!("a.jsonl: row {row}: {expected}"));
    }
}

#[test]
fn too_many_labels_are_an_error_or_a_note() {
    let file = |labels: usize, rows: usize| {
        (0..rows).fold("text,label\n".to_owned(), |file, row| file + &format!("t,{}\n", 7 * (row % labels)))
    };
    let question = "is this the label column?";
    for (labels, rows) in [(50, 50), (50, 99), (4096, 5000), (1000, 1999)] {
        assert_eq!(
            message("a.csv", file(labels, rows)),
            format!("a.csv: {labels} labels in {rows} rows; {question}")
        );
    }
    assert_eq!(
        message("a.csv", file(4097, 4097)),
        format!("a.csv: 4097 labels, but at most 4096 are supported; {question}")
    );
    for (labels, rows, noted) in
        [(49, 49, false), (50, 100, false), (99, 300, false), (100, 999, true), (100, 1000, false)]
    {
        let read = read_with("a.csv", file(labels, rows), &ReadOptions::default(), None).unwrap();
        let expected = noted.then(|| format!("a.csv: {labels} labels in {rows} rows; {question}"));
        assert_eq!(notes(&read, "a.csv"), Vec::from_iter(expected), "{labels} {rows}");
    }
}
