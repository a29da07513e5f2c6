//! csv, tsv and jsonl files, good and bad.

use embert_data::{Columns, read, read_texts};

use crate::{Place, message, read_content, rows};

#[test]
fn quoted_cells_keep_separators_quotes_and_line_breaks() {
    let content = "\u{feff}id,label,text\r\n1,0,\"one, \"\"two\"\"\nthree\"\r\n2,1,plain\r\n";
    let dataset = read_content("a.csv", content).unwrap();
    assert_eq!(rows(&dataset), [("one, \"two\"\nthree", 0), ("plain", 1)]);
}

#[test]
fn tsv_is_parted_by_tabs() {
    let dataset = read_content("a.TSV", "text\tlabel\na, b\t1\nc\t0\n").unwrap();
    assert_eq!(rows(&dataset), [("a, b", 1), ("c", 0)]);
}

#[test]
fn columns_can_be_named() {
    let place = Place::new();
    let path = place.file("a.csv", "review,text,stars\ngood,not this,4\n");
    let columns = Columns { text: "review".into(), label: "stars".into() };
    assert_eq!(rows(&read(&path, "train", &columns, None).unwrap()), [("good", 4)]);
    assert_eq!(read_texts(&path, "review").unwrap(), ["good"]);
}

#[test]
fn jsonl_takes_integers_text_and_booleans_and_passes_over_empty_lines() {
    let content =
        "{\"text\": \"a\\n\\u00e9\", \"label\": true, \"more\": [1]}\n\n  \r\n{\"label\": 0, \"text\": \"\"}";
    assert_eq!(rows(&read_content("a.jsonl", content).unwrap()), [("a\né", 1), ("", 0)]);
}

#[test]
fn texts_are_read_without_labels() {
    let place = Place::new();
    assert_eq!(read_texts(&place.file("a.csv", "text\none\ntwo\n"), "text").unwrap(), ["one", "two"]);
    assert_eq!(read_texts(&place.file("a.jsonl", "{\"text\": \"one\"}"), "text").unwrap(), ["one"]);
    let none = read_texts(&place.file("b.csv", "text\n"), "text").unwrap_err().to_string();
    assert!(none.ends_with("b.csv: no rows"), "{none}");
}

#[test]
fn bad_rows_and_columns_are_named() {
    for (name, content, expected) in [
        ("a.csv", "review,label\na,1\n", "a.csv: no column \"text\"; its columns are \"review\", \"label\""),
        ("a.csv", "text,stars\na,1\n", "a.csv: no column \"label\"; its columns are \"text\", \"stars\""),
        ("a.csv", "text,label\na,1\nb,\n", "a.csv: row 2, column \"label\" is null"),
        (
            "a.csv",
            "text,label\na,1\nb, c,0\n",
            "a.csv: row 2: 3 cells where the header has 2; is a text with the separator in it not quoted?",
        ),
        ("a.csv", "text,label\n", "a.csv: no rows"),
        ("a.jsonl", "\n", "a.jsonl: no rows"),
        ("a.csv", "", "a.csv: no rows"),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": 1}\n{\"text\": null, \"label\": 1}",
            "a.jsonl: row 2, column \"text\" is null",
        ),
        (
            "a.jsonl",
            "{\"txt\": \"a\", \"label\": 1}",
            "a.jsonl: row 1 has no \"text\"; its keys are \"txt\", \"label\"",
        ),
        (
            "a.jsonl",
            "{\"text\": 5, \"label\": 1}",
            "a.jsonl: row 1, column \"text\": found the number 5, expected text",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"label\": 1.5}",
            "a.jsonl: row 1, column \"label\": found the number 1.5, expected an integer, text or a boolean",
        ),
        ("a.jsonl", "\n\"a\"\n", "a.jsonl: row 2: expected a JSON object, found text"),
    ] {
        assert_eq!(message(name, content), expected);
    }
    let cut = message("a.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b");
    assert!(cut.starts_with("a.jsonl: row 2: not JSON: EOF while parsing a string"), "{cut}");
}

#[test]
fn text_that_is_not_utf8_is_named_by_its_row() {
    assert_eq!(
        message("a.csv", b"text,label\ncaf\xc3\xa9,1\ncaf\xe9,1\n"),
        "a.csv: row 2, column \"text\" is not UTF-8"
    );
    assert_eq!(
        message("a.jsonl", b"{\"text\": \"caf\xe9\", \"label\": 1}"),
        "a.jsonl: row 1: the line is not UTF-8"
    );
}

#[test]
fn other_formats_under_the_name_of_a_table_are_recognized() {
    for (name, content, found) in [
        ("a.csv", &b"\x1f\x8b\x08\x00"[..], "expected csv, found a gzip archive; unpack it first"),
        ("a.tsv", b"PK\x03\x04", "expected tsv, found a zip archive; unpack it first"),
        ("a.csv", b"\xff\xfet\x00", "expected csv, found UTF-16 text; save it as UTF-8"),
        (
            "a.csv",
            b"\n<!DOCTYPE html><html>",
            "expected csv, found an HTML page, perhaps an error page of the server; fetch the file again",
        ),
        ("a.csv", b"PAR1", "expected csv, found a parquet file; name it .parquet"),
        (
            "a.jsonl",
            b"[{\"text\": 1}]",
            "expected jsonl (a JSON object on each line), found a JSON array; write each of its objects on a line of its own",
        ),
        (
            "a.parquet",
            b"<html>404",
            "expected parquet, found an HTML page, perhaps an error page of the server; fetch the file again",
        ),
        ("a.parquet", b"\x1f\x8b\x08\x00", "expected parquet, found a gzip archive; unpack it first"),
        (
            "a.parquet",
            b"version https://git-lfs.github.com/spec/v1",
            "expected parquet, found a Git LFS pointer, not the file itself; run git lfs pull",
        ),
        ("a.parquet", b"text,label\n", "expected parquet, found a file that does not begin with PAR1"),
        ("a.parquet", b"", "no rows"),
    ] {
        assert_eq!(message(name, content), format!("{name}: {found}"));
    }
    assert_eq!(message("a.xlsx", "x"), "a.xlsx: extension \"xlsx\" is none of .parquet, .csv, .tsv, .jsonl");
    assert!(message("table", "x").contains("extension \"\" is none"));
}
