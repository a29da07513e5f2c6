//! Encoding with the labels of a model: by name, or by index if the names are not numbers.

use embert_data::{Dataset, ReadOptions};

#[cfg(feature = "parquet")]
use crate::parquet_files::hub_file;
use crate::{files_of, notes, read_with};

fn ids(dataset: &Dataset) -> Vec<usize> {
    dataset.examples.iter().map(|example| example.target.label().unwrap()).collect()
}

#[test]
fn values_match_by_name_then_by_index() {
    const BY_INDEX: &str = "labels are read as indices of the model's labels: ";
    const BY_CASE: &str = "letter case is ignored in labels: ";
    for (labels, known, expected, note) in [
        (["\"pos\"", "\"neg\""], ["pos", "neg"], [0, 1], String::new()),
        (
            ["\"Pos\"", "\"NEG\""],
            ["pos", "neg"],
            [0, 1],
            format!("{BY_CASE}\"NEG\" is read as \"neg\", \"Pos\" is read as \"pos\""),
        ),
        (["1", "2"], ["1", "2"], [0, 1], String::new()),
        (["3", "1"], ["1", "3"], [1, 0], String::new()),
        (["1.0", "2.0"], ["2", "1"], [1, 0], String::new()),
        (["1", "0"], ["LABEL_0", "LABEL_1"], [1, 0], String::new()),
        (["1", "0"], ["neg", "pos"], [1, 0], format!("{BY_INDEX}0 = neg, 1 = pos")),
        (["true", "false"], ["true", "false"], [0, 1], String::new()),
        (
            ["true", "false"],
            ["False", "True"],
            [1, 0],
            format!("{BY_CASE}\"false\" is read as \"False\", \"true\" is read as \"True\""),
        ),
        (["true", "false"], ["LABEL_0", "LABEL_1"], [1, 0], String::new()),
        (["true", "false"], ["1", "0"], [0, 1], String::new()),
        (["true", "false"], ["neg", "pos"], [1, 0], format!("{BY_INDEX}0 = neg, 1 = pos")),
        (["1", "0"], ["false", "true"], [1, 0], format!("{BY_INDEX}0 = false, 1 = true")),
        (["-1", "1"], ["-1", "1"], [0, 1], String::new()),
        (["1", "2"], ["1.0", "2.0"], [0, 1], String::new()),
        (["2", "1"], ["1 star", "2 stars"], [1, 0], String::new()),
        (["2", "1"], ["2: good", "1: bad"], [0, 1], String::new()),
        (["\"1\"", "\"0\""], ["LABEL_0", "LABEL_1"], [1, 0], String::new()),
        (["\"1\"", "\"0\""], ["neg", "pos"], [1, 0], format!("{BY_INDEX}0 = neg, 1 = pos")),
        (["0", "1"], ["inf", "infinity"], [0, 1], format!("{BY_INDEX}0 = inf, 1 = infinity")),
        (["\"None\"", "\"x\""], ["None", "x"], [0, 1], String::new()),
    ] {
        for (name, content) in files_of(&labels) {
            let read = read_with(name, content, &ReadOptions::default(), Some(&known)).unwrap();
            assert_eq!(ids(&read.dataset), expected, "{name} {labels:?} {known:?}");
            assert_eq!(read.dataset.labels.names(), known);
            let expected = if note.is_empty() { vec![] } else { vec![format!("{name}: {note}")] };
            assert_eq!(notes(&read, name), expected, "{labels:?} {known:?}");
        }
    }
}

#[test]
fn cells_match_names_by_their_text() {
    for (cells, known) in
        [(["01", "02"], ["01", "02"]), (["1.0", "2.0"], ["1.0", "2.0"]), (["0.5", "1"], ["0.5", "1"])]
    {
        let content = format!("text,label\na,{}\nb,{}\n", cells[0], cells[1]);
        let read = read_with("a.csv", content, &ReadOptions::default(), Some(&known)).unwrap();
        assert_eq!((ids(&read.dataset), read.notes), (vec![0, 1], vec![]), "{cells:?}");
    }
}

#[test]
fn unknown_labels_are_errors_with_the_row() {
    for (labels, known, shown) in [
        (["\"pos\"", "\"great\""], ["neg", "pos"], "\"great\"; the labels are \"neg\" (0), \"pos\" (1)"),
        (["1", "2"], ["neg", "pos"], "2; the labels are \"neg\" (0), \"pos\" (1)"),
        (["1", "-2"], ["neg", "pos"], "-2; the labels are \"neg\" (0), \"pos\" (1)"),
        (["1", "-1"], ["neg", "pos"], "-1; the labels are \"neg\" (0), \"pos\" (1)"),
        (["1", "0"], ["1", "2"], "0; the labels are \"1\" (0), \"2\" (1)"),
        (["1", "0"], ["1 star", "2 stars"], "0; the labels are \"1 star\" (0), \"2 stars\" (1)"),
        (["\"pos\"", "\"POS\""], ["Pos", "pos"], "\"POS\"; the labels are \"Pos\" (0), \"pos\" (1)"),
    ] {
        for (name, content) in files_of(&labels) {
            let error =
                read_with(name, content, &ReadOptions::default(), Some(&known)).unwrap_err().to_string();
            assert!(error.ends_with(&format!("{name}: row 2: unknown label {shown}")), "{error}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn label_names_of_a_file_match_by_name_then_by_index() {
    for (known, expected, note) in [
        (["pos", "neg"], Ok([1, 0]), ""),
        (
            ["POS", "NEG"],
            Ok([1, 0]),
            "letter case is ignored in labels: \"neg\" is read as \"NEG\", \"pos\" is read as \"POS\"",
        ),
        (
            ["LABEL_0", "LABEL_1"],
            Ok([0, 1]),
            "the label names \"neg\", \"pos\" differ from the model's; they are matched by index with \"LABEL_0\", \"LABEL_1\"",
        ),
        (["neg", "good"], Err("row 2: unknown label 1"), ""),
    ] {
        let read = read_with("a.parquet", hub_file(vec![0, 1]), &ReadOptions::default(), Some(&known));
        match (read, expected) {
            (Ok(read), Ok(expected)) => {
                assert_eq!(ids(&read.dataset), expected, "{known:?}");
                assert_eq!(
                    notes(&read, "a.parquet").concat(),
                    if note.is_empty() { String::new() } else { format!("a.parquet: {note}") }
                );
            }
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (read, _) => panic!("{known:?}: {read:?}"),
        }
    }
    let three = read_with("a.parquet", hub_file(vec![0]), &ReadOptions::default(), Some(&["a", "b", "c"]));
    assert!(three.unwrap_err().to_string().contains("row 1: unknown label 0"));
}
