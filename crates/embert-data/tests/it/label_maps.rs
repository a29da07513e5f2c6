//! Names for the values of a label column.

use embert_data::{DataError, LabelMap, ReadOptions};

use crate::targets::{error, jsonl, label_columns, labels, options};
use crate::{TestDir, read_with};

#[test]
fn label_maps_name_the_values_in_every_format() {
    for (map, cells, names, ids) in [
        ("1=bad,2=bad,3=good", &["3", "1", "2"][..], &["bad", "good"][..], &[1, 0, 0][..]),
        ("0=neg,1=pos", &["1.0", "0"], &["neg", "pos"], &[1, 0]),
        ("0=neg,1=pos,2=mixed", &["1", "0"], &["neg", "pos", "mixed"], &[1, 0]),
        ("p=positive,n=negative", &["\"n\"", "\"p\""], &["positive", "negative"], &[1, 0]),
        ("p=positive,n=negative", &["\"negative\"", "\"p\""], &["positive", "negative"], &[1, 0]),
        ("true=Yes,false=No", &["false", "true"], &["Yes", "No"], &[1, 0]),
        ("0.5=half,1.5=more", &["1.5", "0.5"], &["half", "more"], &[1, 0]),
        ("NA=not applicable,1=one", &["\"NA\"", "1"], &["not applicable", "one"], &[0, 1]),
        ("0=True,1=False", &["0", "1"], &["True", "False"], &[0, 1]),
    ] {
        let options = options(|it| it.label_map = Some(map.parse().unwrap()));
        for (name, content) in crate::files_of(cells) {
            let dataset = read_with(name, content, &options, None).unwrap().dataset;
            assert_eq!(dataset.labels.names(), names, "{name} {map}");
            let found = labels(&dataset).concat();
            assert_eq!(found, ids, "{name} {map}");
        }
    }
}

#[test]
fn label_maps_apply_to_lists_and_columns_and_known_labels() {
    let map = |map: &str| Some(map.parse::<LabelMap>().unwrap());
    let lists = options(|it| it.label_map = map("0=joy,1=love"));
    let dataset = read_with("a.jsonl", jsonl(&["[1, 0]", "[]", "[\"love\"]"]), &lists, None).unwrap().dataset;
    assert_eq!(dataset.labels.names(), ["joy", "love"]);
    assert_eq!(labels(&dataset), [vec![0, 1], vec![], vec![1]]);
    let columns = ReadOptions { label_map: map("x=Toxic"), ..label_columns(&["x", "y"]) };
    let dataset = read_with("a.csv", "text,x,y\na,1,0\n", &columns, None).unwrap().dataset;
    assert_eq!(dataset.labels.names(), ["Toxic", "y"]);
    let known = Some(&["love", "joy"][..]);
    let dataset = read_with("a.jsonl", jsonl(&["0", "1"]), &lists, known).unwrap().dataset;
    assert_eq!(labels(&dataset), [[1], [0]]);
}

#[test]
fn values_without_a_name_are_errors_that_list_them() {
    let mapped = options(|it| it.label_map = Some("1=bad,2=good".parse().unwrap()));
    let found = error(read_with("a.csv", "text,label\na,1\nb,7\nc,2\nd,5\ne,7\n", &mapped, None), "a.csv");
    assert_eq!(
        found,
        "a.csv: row 2: the label map has no name for \"5\", \"7\"; it has names for \"1\", \"2\""
    );
}

#[test]
fn label_maps_are_read_from_files() {
    let dir = TestDir::new();
    for (name, content) in [
        ("map.json", "{\"2\": \"good\", \"1\": \"bad\"}"),
        ("map.csv", "value,name\n2,good\n1,bad\n"),
        ("map.tsv", "value\tname\n2\tgood\n1\tbad\n"),
    ] {
        let map = LabelMap::from_file(&dir.write(name, content)).unwrap();
        assert_eq!(map.labels().names(), ["bad", "good"], "{name}");
    }
    let map = LabelMap::from_file(&dir.write("map.json", "{\"p\": \"pos\", \"n\": \"neg\"}")).unwrap();
    assert_eq!(map.labels().names(), ["pos", "neg"]);
    for (name, content, expected) in [
        ("map.json", "[1]", "not a JSON object of text: invalid type: sequence, expected an object of text"),
        ("map.json", "{\"1\": 2}", "not a JSON object of text: invalid type: integer `2`, expected a string"),
        ("map.json", "{}", "no pairs of a value and a name"),
        ("map.json", "{\"1\": \"a\", \"1\": \"b\"}", "the value \"1\" occurs twice"),
        ("map.csv", "value,name,more\n1,a,b\n", "expected two columns: values and names"),
        ("map.txt", "1=a", "expected a .json, .csv or .tsv file"),
    ] {
        let error = LabelMap::from_file(&dir.write(name, content)).unwrap_err().to_string();
        assert!(error.contains(&format!("{name}\": {expected}")), "{error}");
    }
    assert!(matches!(LabelMap::from_file(&dir.path("none.json")), Err(DataError::Io { .. })));
}
