//! Malformed jsonl files: lone surrogates, deep nesting, values of other types, truncated lines.

use std::collections::BTreeMap;

use embert_hostile::{FuzzTarget, damaged, dropped_or_replaced};
use serde_json::json;

use crate::open;

#[test]
fn valid_files_are_read_and_invalid_files_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.jsonl"), open);
    let row = |text: &str, label: &str| format!("{{\"text\": {text}, \"label\": {label}}}\n");
    for (what, file) in [
        ("an ordinary file", row("\"good\"", "1") + &row("\"bad\"", "0")),
        ("a BOM", format!("\u{feff}{}", row("\"a\"", "1"))),
        ("a surrogate pair", row(r#""\ud83d\ude00""#, "1")),
        ("escapes", row(r#""\u0000\u001b[31m\u202e""#, "1")),
        ("an empty text", row("\"\"", "1")),
        (
            "a thousand labels",
            (0..2000).map(|label| row("\"a\"", &format!("\"{}\"", label % 1000))).collect(),
        ),
        ("booleans", row("\"a\"", "true") + &row("\"b\"", "false")),
        ("fractions", row("\"a\"", "1.5") + &row("\"b\"", "-0.25")),
        (
            "more keys, one with deep nesting",
            format!("{{\"x\": {}{}, {}", "[".repeat(100), "]".repeat(100), &row("\"a\"", "1")[1..]),
        ),
        (
            "a duplicate key: the last value counts, as in Python",
            "{\"text\": 7, \"text\": \"a\", \"label\": 1}".into(),
        ),
        ("a text of ten megabytes", row(&format!("\"{}\"", "word ".repeat(2 << 20)), "1")),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let good = row("\"good\"", "1");
    for (what, line, expected) in [
        (
            "a lone leading surrogate",
            row(r#""\ud800""#, "1"),
            "row 2: not JSON: unexpected end of hex escape",
        ),
        ("a lone trailing surrogate", row(r#""\udc00 a""#, "1"), "row 2: not JSON: lone leading surrogate"),
        ("two leading surrogates", row(r#""\ud800\ud800""#, "1"), "row 2: not JSON: lone leading surrogate"),
        ("a number as text", row("7", "1"), "row 2, column \"text\": found the number 7"),
        ("a list as text", row("[\"a\"]", "1"), "row 2, column \"text\": found a list"),
        ("an object as label", row("\"a\"", "{}"), "row 2, column \"label\": found an object"),
        (
            "a label beyond 64 bits",
            row("\"a\"", "18446744073709551616"),
            "row 2: label 18446744073709552000 is a fraction",
        ),
        ("a huge number", row("\"a\"", "1e999"), "row 2: not JSON: number out of range"),
        ("NaN", row("\"a\"", "NaN"), "row 2: not JSON: expected value"),
        ("text and numbers", row("\"a\"", "\"1\""), "row 2: label \"1\" mixes text and integers"),
        ("deep nesting", "[".repeat(1 << 20), "row 2: not JSON: recursion limit exceeded"),
        (
            "a million numbers",
            format!("[{}0]", "0,".repeat(1 << 20)),
            "row 2: expected a JSON object, found a list",
        ),
        ("a control character", row("\"a\tb\"", "1"), "row 2: not JSON: control character"),
        ("a truncated line", "{\"text\": \"a".into(), "row 2: not JSON: EOF while parsing a string"),
        ("csv", "text,label\n".into(), "row 2: not JSON"),
    ] {
        let error = target.refused(what, format!("{good}{line}"));
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    for (what, file) in [
        ("an empty file", vec![]),
        ("text after an array", b"[{\"text\": \"a\", \"label\": 1}] 1".to_vec()),
        ("an array of numbers", b"[1]".to_vec()),
        ("invalid UTF-8", b"{\"text\": \"\xff\", \"label\": 1}".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("a quarter of a million opening braces", b"{\"a\":".repeat(1 << 18)),
    ] {
        target.refused(what, file);
    }
    println!("{}", target.finish(31, 0));
}

#[test]
fn mutated_files_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("hostile.jsonl"), open);
    let good = json!({"text": "good \u{e9}\n😀", "label": 1, "more": [{"a": null}]});
    let more = BTreeMap::from([("text", json!("bad")), ("label", json!(0))]);
    let more = serde_json::to_string(&more).unwrap();
    let wrong = dropped_or_replaced(&good, 500, 1).into_iter();
    target.mutations(wrong.map(|(what, row)| (what, format!("{row}\n{more}\n"))));
    let lists = json!({"text": "a", "label": ["x", "y", ""]});
    let wrong = dropped_or_replaced(&lists, 500, 3).into_iter();
    target.mutations(wrong.map(|(what, row)| (what, format!("{lists}\n{row}\n"))));
    target.mutations(damaged(format!("{lists}\n{lists}\n").as_bytes(), 1000, 4));
    target.mutations(damaged(format!("{good}\n{more}\n{good}\n").as_bytes(), 2000, 2));
    println!("{}", target.finish(0, 2000));
}
