//! Label ids: from integers, from text, from a trained model.

use embert_data::{Columns, DataError, Dataset, Labels};

use crate::{Place, message, read_content, rows};

fn read_known(name: &str, content: &str, known: &[&str]) -> Result<Dataset, DataError> {
    let place = Place::new();
    let labels = Labels::new(known.iter().map(|name| (*name).to_owned()).collect()).unwrap();
    embert_data::read(&place.file(name, content), "test", &Columns::default(), Some(&labels))
}

#[test]
fn text_labels_get_ids_in_sorted_order() {
    let dataset = read_content("a.csv", "text,label\na,pos\nb,neg\nc,mixed\n").unwrap();
    assert_eq!(dataset.labels.names(), ["mixed", "neg", "pos"]);
    assert_eq!(rows(&dataset), [("a", 2), ("b", 1), ("c", 0)]);
}

#[test]
fn integers_are_ids_and_named_as_in_transformers() {
    let dataset = read_content("a.csv", "text,label\na,2\nb, 0 \n").unwrap();
    assert_eq!(dataset.labels.names(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
    assert_eq!(rows(&dataset), [("a", 2), ("b", 0)]);
}

#[test]
fn a_csv_column_of_integers_and_text_is_text() {
    let dataset = read_content("a.csv", "text,label\na,1\nb,none\n").unwrap();
    assert_eq!(dataset.labels.names(), ["1", "none"]);
}

#[test]
fn integers_in_quotes_are_text_in_jsonl() {
    let content = "{\"text\": \"a\", \"label\": \"4\"}\n{\"text\": \"b\", \"label\": \"1\"}\n";
    let dataset = read_content("a.jsonl", content).unwrap();
    assert_eq!(dataset.labels.names(), ["1", "4"]);
    assert_eq!(rows(&dataset), [("a", 1), ("b", 0)]);
}

#[test]
fn a_models_labels_decide_at_evaluation() {
    let by_name = read_known("a.csv", "text,label\na,pos\n", &["pos", "neg"]).unwrap();
    assert_eq!(rows(&by_name), [("a", 0)]);
    let by_id = read_known("a.csv", "text,label\na,1\n", &["pos", "neg"]).unwrap();
    assert_eq!(rows(&by_id), [("a", 1)]);
    let named_by_digits = read_known("a.csv", "text,label\na,1\n", &["1", "2"]).unwrap();
    assert_eq!(rows(&named_by_digits), [("a", 0)]);
    assert_eq!(named_by_digits.labels.names(), ["1", "2"]);
}

#[test]
fn a_label_that_the_model_does_not_know_is_named_with_its_row() {
    for (label, shown) in [("great", "\"great\""), ("2", "\"2\""), ("-2", "\"-2\"")] {
        let content = format!("text,label\na,pos\nb,{label}\n");
        let error = read_known("a.csv", &content, &["neg", "pos"]).unwrap_err().to_string();
        let expected = format!("a.csv: row 2: unknown label {shown}; known are \"neg\" (0), \"pos\" (1)");
        assert!(error.ends_with(&expected), "{error}");
    }
    let error = read_known("a.jsonl", "{\"text\": \"a\", \"label\": 2}", &["neg", "pos"]).unwrap_err();
    assert!(error.to_string().ends_with("row 1: unknown label 2; known are \"neg\" (0), \"pos\" (1)"));
}

#[test]
fn unlabelled_rows_say_so() {
    let content = "{\"text\": \"a\", \"label\": -1}\n";
    let expected = "a.jsonl: row 1 is unlabelled (label -1, as all rows of IMDb's unsupervised split); \
                    choose a labelled split";
    assert_eq!(message("a.jsonl", content), expected);
    let known = read_known("a.jsonl", content, &["neg", "pos"]).unwrap_err();
    assert!(known.to_string().ends_with(expected));
}

#[test]
fn labels_that_cannot_be_class_ids_are_refused() {
    assert_eq!(
        message("a.jsonl", "{\"text\": \"a\", \"label\": 1000000000}"),
        "a.jsonl: row 1: label 1000000000 is no class id (they count from 0 and stay below 4096); is this the right column?"
    );
    assert!(message("a.jsonl", "{\"text\": \"a\", \"label\": -7}").contains("label -7 is no class id"));
    assert_eq!(
        message("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": \"pos\"}"),
        "a.jsonl: row 2: label \"pos\" mixes text and integers in one data set"
    );
}
