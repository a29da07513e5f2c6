//! Malformed json documents: lists, objects over several lines, and objects of columns.

use embert_data::{DataError, ReadOptions, read_table};
use embert_hostile::{FuzzTarget, damaged};

use crate::open;

#[test]
fn valid_files_are_read_and_invalid_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.json"), open);
    let row = "{\"text\": \"a\", \"label\": 1}";
    for (what, file) in [
        ("a list", format!("[{row}, {row}]")),
        ("a BOM and blank lines", format!("\u{feff}\n\n[\n{row}\n]\n\n")),
        ("lines", format!("{row}\n{row}\n")),
        ("objects over several lines", row.replace(", ", ",\n").repeat(3)),
        ("columns", "{\"text\": [\"a\", \"b\"], \"label\": [0, 1]}".to_owned()),
        ("columns with an index", "{\"text\": {\"0\": \"a\"}, \"label\": {\"0\": 1}}".to_owned()),
        ("twenty thousand rows", format!("[{row}{}]", format!(",{row}").repeat(20_000))),
        ("brackets in text", "[{\"text\": \"]}\\\"[{\", \"label\": 0}]".to_owned()),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in [
        ("an empty file", String::new(), "no rows"),
        ("blank lines", "\n \n".to_owned(), "no rows"),
        ("an empty list", "[]".to_owned(), "no rows"),
        ("an empty object", "{}".to_owned(), "no column \"text\""),
        ("a truncated list", format!("[{row}, "), "row 2: not JSON"),
        ("no comma", format!("[{row}{row}]"), "row 2: not JSON: expected a comma"),
        ("two commas", format!("[{row},,{row}]"), "row 2: not JSON"),
        ("a comma at the end", format!("[{row},]"), "row 2: not JSON"),
        ("text after the list", format!("[{row}]]"), "not JSON: text after the list"),
        ("a list of lists", "[[1]]".to_owned(), "row 1: expected a JSON object, found a list"),
        ("deep nesting", "[".repeat(1 << 20), "row 1: not JSON: recursion limit exceeded"),
        ("deep objects", "{\"a\":\n".repeat(1 << 18), "row 1: not JSON"),
        (
            "a quarter of a million numbers",
            format!("{{\"text\": [{}0]}}", "0,".repeat(1 << 18)),
            "found the number 0",
        ),
        ("columns of different lengths", "{\"text\": [\"a\"], \"label\": []}".to_owned(), "found a list"),
        ("a string without an end", "[\"a".to_owned(), "row 1: not JSON: EOF"),
        ("closing brackets", "]".repeat(1000), "row 1: not JSON"),
        ("only a comma", ",".to_owned(), "row 1: not JSON"),
        ("many keys", many_keys(), "too many different keys for a table"),
    ] {
        let result = target.file(what, file);
        let error = match result {
            Err(error) => error,
            Ok(()) => panic!("{what}: the reader must reject this file"),
        };
        assert!(error.contains(expected) || what == "many keys", "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(26, 0));
}

/// Returns rows with one key each, all of them different.
fn many_keys() -> String {
    let rows = (0..2000).map(|row| format!("{{\"k{row}\":1}}"));
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

#[test]
fn a_sparse_table_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let read = |path: &std::path::Path| -> Result<(), DataError> {
        read_table(path, &ReadOptions::default()).map(drop)
    };
    let mut target = FuzzTarget::new(folder.path().join("hostile.json"), read);
    let error = target.refused("many keys", many_keys());
    assert!(error.contains("too many different keys for a table"), "{error}");
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let by_field = |path: &std::path::Path| -> Result<(), DataError> {
        let options = ReadOptions { json_field: Some("data".to_owned()), ..ReadOptions::default() };
        let _ = read_table(path, &options).map_err(|error| assert!(!error.to_string().is_empty()));
        open(path)
    };
    let mut target = FuzzTarget::new(folder.path().join("hostile.json"), by_field);
    for (seed, file) in (20..).zip([
        "[{\"text\": \"good é 😀\", \"label\": 1, \"x\": [{}]},\n {\"text\": \"b\", \"label\": 0}]",
        "{\n \"text\": {\"0\": \"a\", \"1\": \"b\"},\n \"label\": {\"0\": 1, \"1\": 0}\n}",
        "{\"text\": [\"a\", \"b\", \"c\"], \"label\": [0, 1, null]}",
        "{\"version\": [1], \"data\": [{\"text\": \"a\", \"label\": 1}], \"more\": {}}",
        "{\"text\": \"a\",\n \"label\": 1}\n{\"text\": \"b\",\n \"label\": 0}",
    ]) {
        target.mutations(damaged(file.as_bytes(), 600, seed));
    }
    println!("{}", target.finish(0, 3000));
}
