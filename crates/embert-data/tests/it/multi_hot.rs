//! Lists of 0 and 1 that are a flag for each label, and lists of ids that look like them.

use embert_data::{ProblemType, ReadOptions};

use crate::targets::{MULTI, error, jsonl, labels, options};
use crate::{notes, read_with};

const FLAGS: [&str; 3] = ["[0, 0, 1, 0]", "[1, 1, 0, 0]", "[0, 0, 0, 0]"];

#[test]
fn lists_of_flags_are_labels_by_position() {
    let four = &["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"][..];
    for (lists, names, ids) in [
        (&FLAGS[..], four, &[&[2][..], &[0, 1], &[]][..]),
        (&["[0.0, 0.0, 1.0, 0.0]", "[1, 1.0, 0, 0]"], four, &[&[2], &[0, 1]]),
        (&["[false, false, true, false]", "[true, true, false, 0]"], four, &[&[2], &[0, 1]]),
        (&["[0, 1]", "[1, 1]", "[0, 0]"], &four[..2], &[&[1], &[0, 1], &[]]),
        (&["[0, 0, 0]", "[0, 0, 0]"], &four[..3], &[&[], &[]]),
    ] {
        let read = read_with("a.jsonl", jsonl(lists), &ReadOptions::default(), None).unwrap();
        assert_eq!(read.dataset.problem_type, MULTI, "{lists:?}");
        assert_eq!(read.dataset.labels.names(), names, "{lists:?}");
        assert_eq!(labels(&read.dataset), ids, "{lists:?}");
        assert_eq!(read.notes.len(), 1, "{lists:?}");
    }
    let read = read_with("a.jsonl", jsonl(&["[0, 1]", "[1, 1]"]), &ReadOptions::default(), None).unwrap();
    assert_eq!(
        notes(&read, "a.jsonl"),
        ["a.jsonl: the lists in column \"label\" are read as a flag of 0 or 1 for each label (\"LABEL_0\", \
             \"LABEL_1\"), because row 2 repeats a value"]
    );
}

#[test]
fn other_lists_of_0_and_1_are_ids_or_names() {
    for (lists, names, ids) in [
        (&["[0, 1]", "[1, 0]"][..], &["LABEL_0", "LABEL_1"][..], &[&[0, 1][..], &[0, 1]][..]),
        (&["[0, 1, 1]", "[1]"], &["LABEL_0", "LABEL_1"], &[&[0, 1], &[1]]),
        (&["[0, 1, 1]", "[]"], &["LABEL_0", "LABEL_1"], &[&[0, 1], &[]]),
        (&["[0, 2, 2]", "[1, 0, 0]"], &["LABEL_0", "LABEL_1", "LABEL_2"], &[&[0, 2], &[0, 1]]),
        (&["[1]", "[0]"], &["LABEL_0", "LABEL_1"], &[&[1], &[0]]),
        (&[r#"["0", "0", "1"]"#], &["0", "1"], &[&[0, 1]]),
    ] {
        let read = read_with("a.jsonl", jsonl(lists), &ReadOptions::default(), None).unwrap();
        assert_eq!(read.dataset.labels.names(), names, "{lists:?}");
        assert_eq!(labels(&read.dataset), ids, "{lists:?}");
        assert_eq!(read.notes, [], "{lists:?}");
    }
    let found = error(read_with("a.jsonl", jsonl(&["[0, 0.5, 0]"]), &ReadOptions::default(), None), "row");
    assert!(found.starts_with("row 1: label 0.5 is a fraction"), "{found}");
    let regression = options(|it| it.problem_type = Some(ProblemType::Regression));
    let read = read_with("a.jsonl", jsonl(&FLAGS), &regression, None).unwrap();
    assert_eq!(crate::targets::values(&read.dataset)[0], [0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn flags_have_the_names_of_the_model_or_of_the_map() {
    let mapped = |map: &str| options(|it| it.label_map = Some(map.parse().unwrap()));
    let none = ReadOptions::default;
    for (known, options, expected) in [
        (Some(&["3", "2", "1", "0"][..]), none(), Ok(&["3", "2", "1", "0"][..])),
        (None, mapped("0=a,1=b,2=c,3=d"), Ok(&["a", "b", "c", "d"])),
        (Some(&["d", "c", "b", "a"]), mapped("0=a,1=b,2=c,3=d"), Ok(&["d", "c", "b", "a"])),
        (
            Some(&["joy", "love"]),
            none(),
            Err(
                "row 1: the list has 4 flags of 0 and 1, but the labels are \"joy\", \"love\"; write one flag for each \
                 label, or lists of the names that apply",
            ),
        ),
        (
            None,
            mapped("0=no,1=yes"),
            Err("row 1: the label map has no name for \"2\", \"3\"; it has names for"),
        ),
        (
            Some(&["a", "b", "c", "x"]),
            mapped("0=a,1=b,2=c,3=d"),
            Err("row 1: unknown label \"d\"; the labels are"),
        ),
        (None, mapped("0=a,1=a,2=b,3=c"), Err("duplicate label \"a\"")),
    ] {
        let read = read_with("a.jsonl", jsonl(&FLAGS), &options, known);
        match expected {
            Ok(names) => {
                let dataset = read.unwrap().dataset;
                assert_eq!(dataset.labels.names(), names);
                let first = if names[0] == "d" { [1] } else { [2] };
                assert_eq!(labels(&dataset)[0], first, "{names:?}");
            }
            Err(message) => {
                let found = error(read, "a.jsonl");
                assert!(found.trim_start_matches("a.jsonl: ").starts_with(message), "{found}");
            }
        }
    }
}

#[test]
fn cells_of_flags_are_split_by_the_label_separator() {
    let separated = options(|it| it.label_separator = Some(" ".to_owned()));
    let read = read_with("a.csv", "text,label\na,0 0 1\nb,1 1 0\n", &separated, None).unwrap();
    assert_eq!(labels(&read.dataset), [&[2][..], &[0, 1]]);
}

#[cfg(feature = "parquet")]
#[test]
fn flags_have_the_label_names_of_the_file() {
    use std::sync::Arc;

    use arrow_array::builder::{Float32Builder, ListBuilder};
    use arrow_array::{ArrayRef, StringArray};

    let mut lists = ListBuilder::new(Float32Builder::new());
    for row in [[0.0, 0.0, 1.0], [1.0, 1.0, 0.0]] {
        lists.values().append_slice(&row);
        lists.append(true);
    }
    let (lists, texts): (ArrayRef, ArrayRef) =
        (Arc::new(lists.finish()), Arc::new(StringArray::from(vec!["a", "b"])));
    for (names, known, expected) in [
        (r#"["x", "y", "z"]"#, None, Ok((["x", "y", "z"], [vec![2], vec![0, 1]]))),
        (r#"["x", "y", "z"]"#, Some(&["z", "y", "x"][..]), Ok((["z", "y", "x"], [vec![0], vec![1, 2]]))),
        (
            r#"["no", "yes"]"#,
            None,
            Err("the list has 3 flags of 0 and 1, but the labels are \"no\", \"yes\""),
        ),
    ] {
        let features = format!(
            r#"{{"info": {{"features": {{"label": {{"feature": {{"names": {names}, "_type": "ClassLabel"}}}}}}}}}}"#
        );
        let columns = vec![("text", texts.clone()), ("label", lists.clone())];
        let file = crate::parquet_files::write(columns, Some(&features));
        let read = read_with("a.parquet", file, &ReadOptions::default(), known);
        match expected {
            Ok((names, ids)) => {
                let dataset = read.unwrap().dataset;
                assert_eq!(dataset.labels.names(), names);
                assert_eq!(labels(&dataset), ids, "{names:?}");
            }
            Err(message) => assert!(error(read, "row").contains(message), "{names}"),
        }
    }
}
