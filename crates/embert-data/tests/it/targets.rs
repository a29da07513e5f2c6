//! Multi-label and regression targets, pairs of texts, several columns and label maps.

use embert_data::{DataError, Dataset, LoadedDataset, ProblemType, ReadOptions, Target};

use crate::{TestDir, notes, read_with};

pub(crate) const MULTI: ProblemType = ProblemType::MultiLabelClassification;

pub(crate) fn options(set: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    set(&mut options);
    options
}

pub(crate) fn label_columns(names: &[&str]) -> ReadOptions {
    options(|it| it.columns.labels = names.iter().map(|name| (*name).to_owned()).collect())
}

pub(crate) fn labels(dataset: &Dataset) -> Vec<Vec<usize>> {
    dataset.examples.iter().map(|example| example.target.label_ids().to_vec()).collect()
}

pub(crate) fn values(dataset: &Dataset) -> Vec<Vec<f32>> {
    dataset.examples.iter().map(|example| example.target.values().to_vec()).collect()
}

pub(crate) fn error(read: Result<LoadedDataset, DataError>, name: &str) -> String {
    let error = read.unwrap_err().to_string();
    error[error.find(name).unwrap_or(0)..].to_owned()
}

/// Returns a jsonl file with these label values.
pub(crate) fn jsonl(labels: &[&str]) -> String {
    labels.iter().map(|label| format!("{{\"text\": \"t\", \"label\": {label}}}\n")).collect()
}

#[test]
fn lists_are_multi_label() {
    for (lists, names, ids) in [
        (
            &[r#"["joy", "love"]"#, "[]", r#"["anger", "joy"]"#][..],
            &["anger", "joy", "love"][..],
            &[&[1, 2][..], &[], &[0, 1]][..],
        ),
        (&[r#"["b", "a", "b"]"#], &["a", "b"], &[&[0, 1]]),
        (&["[2, 0]", "[1]", "[]"], &["LABEL_0", "LABEL_1", "LABEL_2"], &[&[0, 2], &[1], &[]]),
        (&["[10, 9]", "[9]"], &["9", "10"], &[&[0, 1], &[0]]),
        (&["[true]", "[false, true]"], &["false", "true"], &[&[1], &[0, 1]]),
        (&["[1.0]", "[0]"], &["LABEL_0", "LABEL_1"], &[&[1], &[0]]),
    ] {
        let read = read_with("a.jsonl", jsonl(lists), &ReadOptions::default(), None).unwrap();
        assert_eq!(read.dataset.problem_type, MULTI, "{lists:?}");
        assert_eq!(read.dataset.labels.names(), names, "{lists:?}");
        assert_eq!(labels(&read.dataset), ids, "{lists:?}");
        assert_eq!(read.notes, [], "{lists:?}");
    }
}

#[test]
fn lists_use_the_labels_of_the_model() {
    let known = ["joy", "love", "anger"];
    for (list, expected) in [
        (r#"["anger", "joy"]"#, Ok(&[0, 2][..])),
        (r#"["Love"]"#, Ok(&[1])),
        ("[2, 0]", Ok(&[0, 2])),
        ("[]", Ok(&[])),
        (r#"["joy", "fear"]"#, Err("row 1: unknown label \"fear\"; the labels are")),
        ("[3]", Err("row 1: unknown label 3; the labels are")),
    ] {
        let read = read_with("a.jsonl", jsonl(&[list]), &ReadOptions::default(), Some(&known));
        match expected {
            Ok(ids) => assert_eq!(labels(&read.unwrap().dataset), [ids], "{list}"),
            Err(message) => assert!(error(read, "row").starts_with(message), "{list}"),
        }
    }
}

#[test]
fn invalid_lists_are_errors() {
    let single = options(|it| it.problem_type = Some(ProblemType::SingleLabelClassification));
    for (lists, options, expected) in [
        (
            &["[1, null]"][..],
            ReadOptions::default(),
            "row 1, column \"label\": found null, expected an integer, text or a boolean",
        ),
        (
            &["[[1]]"],
            ReadOptions::default(),
            "row 1, column \"label\": found a list, expected an integer, text or a boolean",
        ),
        (
            &["[1]", "[\"a\"]"],
            ReadOptions::default(),
            "row 2: label \"a\" mixes text and integers in one label column",
        ),
        (
            &["[1]", "\"a\""],
            ReadOptions::default(),
            "row 2: label \"a\" mixes text and integers in one label column",
        ),
        (&["[1]", "null"], ReadOptions::default(), "row 2 has no label: column \"label\" is null"),
        (
            &["[]", "[]"],
            ReadOptions::default(),
            "none of the 2 rows has a label; choose another split or file",
        ),
        (
            &["[0.5]"],
            ReadOptions::default(),
            "row 1: label 0.5 is a fraction, but classes are integers or names",
        ),
        (
            &["[1]", "[0, 1]"],
            single.clone(),
            "row 2, column \"label\": found 2 labels, but single_label_classification has one label per row",
        ),
        (&["[1]", "[]"], single, "row 2 has no label: column \"label\" is an empty list"),
    ] {
        let found = error(read_with("a.jsonl", jsonl(lists), &options, None), "a.jsonl");
        let message = found.trim_start_matches("a.jsonl: ");
        assert!(message.starts_with(expected), "{lists:?}: {message}");
    }
}

#[test]
fn lists_of_one_label_can_be_single_label() {
    let single = options(|it| it.problem_type = Some(ProblemType::SingleLabelClassification));
    let read = read_with("a.jsonl", jsonl(&["[\"b\"]", "[\"a\"]"]), &single, None).unwrap();
    assert_eq!(read.dataset.examples[0].target, Target::Label(1));
}

#[test]
fn text_is_split_by_the_label_separator() {
    for (separator, cells, names, ids) in [
        (
            ";",
            &["joy; love", "", " anger ;joy;"][..],
            &["anger", "joy", "love"][..],
            &[&[1, 2][..], &[], &[0, 1]][..],
        ),
        ("|", &["1|0", "2"], &["LABEL_0", "LABEL_1", "LABEL_2"], &[&[0, 1], &[2]]),
        (", ", &["\"a, b\"", "\"b,a\""], &["a", "b", "b,a"], &[&[0, 1], &[2]]),
        (" ", &["x  y", "y"], &["x", "y"], &[&[0, 1], &[1]]),
    ] {
        let options = options(|it| it.label_separator = Some(separator.to_owned()));
        let content = cells.iter().fold("text,label\n".to_owned(), |file, cell| file + "t," + cell + "\n");
        let read = read_with("a.csv", content, &options, None).unwrap();
        assert_eq!(read.dataset.problem_type, MULTI);
        assert_eq!(read.dataset.labels.names(), names, "{cells:?}");
        assert_eq!(labels(&read.dataset), ids, "{cells:?}");
        let json = cells.iter().map(|cell| format!("\"{}\"", cell.trim_matches('"'))).collect::<Vec<_>>();
        let json = jsonl(&json.iter().map(String::as_str).collect::<Vec<_>>());
        let of_json = read_with("a.jsonl", json, &options, None).unwrap().dataset;
        assert_eq!(labels(&of_json), ids, "{cells:?}");
    }
}

#[test]
fn words_for_null_are_missing_in_separated_labels() {
    let separated = options(|it| it.label_separator = Some(";".to_owned()));
    let content = "text,label\na,x;y\nb,NA\nc,\n";
    let found = error(read_with("a.csv", content, &separated, None), "a.csv");
    assert_eq!(found, "a.csv: row 2 has no label: column \"label\" is \"NA\"");
    let dropping = ReadOptions { drop_unlabelled: true, ..separated };
    assert_eq!(labels(&read_with("a.csv", content, &dropping, None).unwrap().dataset), [vec![0, 1], vec![]]);
}

#[test]
fn columns_of_0_and_1_are_labels() {
    for rows in [
        "a,1,0\nb,0,0\nc,1,1\n",
        "a,1.0,0.0\nb,0.0,0.0\nc,1.0,1.0\n",
        "a,True,False\nb,false,FALSE\nc,true,TRUE\n",
    ] {
        let content = format!("text,toxic,insult\n{rows}");
        let read = read_with("a.csv", &content, &label_columns(&["toxic", "insult"]), None).unwrap();
        assert_eq!(read.dataset.problem_type, MULTI);
        assert_eq!(read.dataset.labels.names(), ["toxic", "insult"]);
        assert_eq!(labels(&read.dataset), [vec![0], vec![], vec![0, 1]], "{rows}");
        let swapped = read_with("a.csv", &content, &label_columns(&["insult", "toxic"]), None).unwrap();
        assert_eq!(labels(&swapped.dataset), [vec![1], vec![], vec![0, 1]], "{rows}");
        let known = Some(&["Insult", "toxic"][..]);
        let read = read_with("a.csv", &content, &label_columns(&["toxic", "insult"]), known).unwrap();
        assert_eq!(labels(&read.dataset), [vec![1], vec![], vec![0, 1]], "{rows}");
    }
}

#[test]
fn invalid_label_columns_are_errors() {
    let forced = |columns: &[&str]| ReadOptions { problem_type: Some(MULTI), ..label_columns(columns) };
    for (content, options, known, expected) in [
        (
            "text,x,y\na,1,0\nb,-1,-1\n",
            label_columns(&["x", "y"]),
            None,
            "row 2 has no label: column \"x\" is -1, which means no label",
        ),
        (
            "text,x,y\na,1,0\nb,1,\n",
            label_columns(&["x", "y"]),
            None,
            "row 2 has no label: column \"y\" is empty",
        ),
        ("text,x,y\na,1,2\n", forced(&["x", "y"]), None, "row 1, column \"y\": found \"2\", expected 0 or 1"),
        (
            "text,x,y\na,1,yes\n",
            label_columns(&["x", "y"]),
            None,
            "row 1, column \"y\": found \"yes\", expected 0 or 1",
        ),
        ("text,x,y\na,1,0\n", label_columns(&["x", "z"]), None, "no column \"z\"; its columns are"),
        ("text,x\na,1\n", label_columns(&["x", "x"]), None, "duplicate label \"x\""),
        (
            "text,x,y\na,1,0\n",
            label_columns(&["x", "y"]),
            Some(&["x", "z"][..]),
            "the label columns are \"x\", \"y\", but the labels are \"x\", \"z\"; name one column for each label",
        ),
        (
            "text,x,y\na,1,0\n",
            ReadOptions {
                problem_type: Some(ProblemType::SingleLabelClassification),
                ..label_columns(&["x", "y"])
            },
            None,
            "row 1, column \"x, y\": found 2 labels, but single_label_classification has one label per row",
        ),
    ] {
        let found = error(read_with("a.csv", content, &options, known), "a.csv");
        assert!(found.trim_start_matches("a.csv: ").starts_with(expected), "{content}: {found}");
    }
    let dropping = ReadOptions { drop_unlabelled: true, ..label_columns(&["x", "y"]) };
    let read = read_with("a.csv", "text,x,y\na,1,0\nb,-1,-1\n", &dropping, None).unwrap();
    assert_eq!(labels(&read.dataset), [vec![0]]);
    assert_eq!(notes(&read, "a.csv"), ["a.csv: dropped 1 of 2 rows, which have no label"]);
}

#[test]
fn fractions_and_forced_numbers_are_regression() {
    let forced = options(|it| it.problem_type = Some(ProblemType::Regression));
    for (cells, options, expected, noted) in [
        (&["4.5", "1"][..], ReadOptions::default(), &[4.5, 1.0][..], true),
        (&["5", "1"], forced.clone(), &[5.0, 1.0], false),
        (&["-1", "1e-2"], forced.clone(), &[-1.0, 0.01], false),
        (&[" 2.50 ", "+3"], forced.clone(), &[2.5, 3.0], false),
    ] {
        let content = cells.iter().fold("text,label\n".to_owned(), |file, cell| file + "t," + cell + "\n");
        let read = read_with("a.csv", content, &options, None).unwrap();
        assert_eq!(read.dataset.problem_type, ProblemType::Regression);
        assert_eq!(values(&read.dataset), expected.iter().map(|value| vec![*value]).collect::<Vec<_>>());
        assert_eq!(read.dataset.labels.names(), ["LABEL_0"]);
        assert_eq!(!read.notes.is_empty(), noted, "{cells:?}");
    }
    let read = read_with("a.csv", "text,label\na,1\nb,0.5\n", &ReadOptions::default(), None).unwrap();
    assert_eq!(
        notes(&read, "a.csv"),
        [
            "a.csv: the labels are read as numbers to predict (regression), because row 2 has 0.5 in column \"label\"; \
          problem_type single_label_classification reads them as classes"
        ]
    );
}

#[test]
fn forced_classes_keep_fractions_as_names() {
    let single = options(|it| it.problem_type = Some(ProblemType::SingleLabelClassification));
    for (name, content) in crate::files_of(&["1.5", "1", "0.50"]) {
        let dataset = read_with(name, content, &single, None).unwrap().dataset;
        assert_eq!(dataset.labels.names(), ["0.5", "1", "1.5"], "{name}");
        assert_eq!(labels(&dataset), [[2], [1], [0]], "{name}");
    }
}

#[test]
fn several_columns_and_lists_of_numbers_are_several_targets() {
    let columns = label_columns(&["x", "y"]);
    let forced = ReadOptions { problem_type: Some(ProblemType::Regression), ..columns.clone() };
    for (rows, options, known, expected, noted) in [
        ("a,0.5,1\nb,2,-3\n", &columns, None, [[0.5, 1.0], [2.0, -3.0]], true),
        ("a,4,1\nb,2,3\n", &columns, None, [[4.0, 1.0], [2.0, 3.0]], true),
        ("a,1,0\nb,0,-1\n", &forced, None, [[1.0, 0.0], [0.0, -1.0]], false),
        ("a,1,0\nb,2,3\n", &forced, Some(&["y", "x"][..]), [[0.0, 1.0], [3.0, 2.0]], false),
    ] {
        let read = read_with("a.csv", format!("text,x,y\n{rows}"), options, known).unwrap();
        assert_eq!(read.dataset.problem_type, ProblemType::Regression, "{rows}");
        assert_eq!(read.dataset.labels.names(), known.unwrap_or(&["x", "y"]), "{rows}");
        assert_eq!(values(&read.dataset), expected, "{rows}");
        assert_eq!(!read.notes.is_empty(), noted, "{rows}");
    }
    let forced = options(|it| it.problem_type = Some(ProblemType::Regression));
    let read = read_with("a.jsonl", jsonl(&["[1, 2.5, 3]", "[0, 0, 0]"]), &forced, None).unwrap();
    assert_eq!(read.dataset.labels.names(), ["LABEL_0", "LABEL_1", "LABEL_2"]);
    assert_eq!(values(&read.dataset), [[1.0, 2.5, 3.0], [0.0; 3]]);
}

#[test]
fn labels_that_are_not_numbers_are_errors_of_regression() {
    let forced = options(|it| it.problem_type = Some(ProblemType::Regression));
    for (content, known, expected) in [
        ("text,label\na,1\nb,good\n", None, "row 2, column \"label\": found \"good\", expected a number"),
        ("text,label\na,1\nb,1e39\n", None, "row 2, column \"label\": found \"1e39\", expected a number"),
        ("text,label\na,1\nb,nan\n", None, "row 2 has no label: column \"label\" is \"nan\""),
        ("text,label\na,1\nb,-inf\n", None, "row 2 has no label: column \"label\" is \"-inf\""),
        ("text,label\na,1\nb,\n", None, "row 2 has no label: column \"label\" is empty"),
        ("text,label\na,1\nb,2\n", Some(&["x", "y"][..]), "row 1: found 1 numbers, but there are 2 targets"),
    ] {
        let found = error(read_with("a.csv", content, &forced, known), "a.csv");
        assert_eq!(found, format!("a.csv: {expected}"));
    }
    let found = error(read_with("a.jsonl", jsonl(&["[1, 2]", "[1]"]), &forced, None), "a.jsonl");
    assert_eq!(found, "a.jsonl: row 2: found 1 numbers, but there are 2 targets");
}

#[test]
fn all_files_and_rows_of_a_split_decide_the_problem_type_together() {
    let dir = TestDir::new();
    let rows = |labels: &dyn Fn(usize) -> String| {
        (0..20_000).map(|row| format!("{{\"text\": \"t{row}\", {}}}\n", labels(row))).collect::<String>()
    };
    for (name, first, second, expected) in [
        (
            "integers and a fraction in the last row",
            rows(&|_| "\"label\": 1".to_owned()),
            rows(&|row| format!("\"label\": {}", if row == 19_999 { "2.5" } else { "2" })),
            ProblemType::Regression,
        ),
        (
            "lists, the first one after many empty ones",
            rows(&|_| "\"label\": []".to_owned()),
            rows(&|row| format!("\"label\": [{}]", row % 2)),
            MULTI,
        ),
        (
            "no label in the last chunk of the first file",
            rows(&|row| if row < 5 { format!("\"label\": {}", row % 2) } else { "\"x\": 1".to_owned() }),
            rows(&|row| format!("\"label\": {}", row % 2)),
            ProblemType::SingleLabelClassification,
        ),
    ] {
        dir.write("train-1.jsonl", first);
        dir.write("train-2.jsonl", second);
        let dropping = options(|it| it.drop_unlabelled = true);
        let read = embert_data::read(&dir.path(""), "train", &dropping, None).unwrap();
        assert_eq!(read.dataset.problem_type, expected, "{name}");
        let is_complete = expected != ProblemType::SingleLabelClassification;
        assert_eq!(read.dataset.len(), if is_complete { 40_000 } else { 20_005 }, "{name}");
        assert_eq!(read.dataset.examples.last().unwrap().text, "t19999");
    }
}
