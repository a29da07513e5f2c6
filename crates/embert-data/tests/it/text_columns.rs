//! Several text columns, pairs, and the names of columns.

use embert_data::{Columns, read_texts};

use crate::targets::{error, options};
use crate::{TestDir, read_with};

#[test]
fn several_text_columns_are_joined_and_pairs_are_read() {
    let columns = |texts: &[&str], pair: Option<&str>| Columns {
        texts: texts.iter().map(|name| (*name).to_owned()).collect(),
        text_pair: pair.map(str::to_owned),
        ..Columns::default()
    };
    let csv = "title,body,label\nA,b c,1\n,only body,0\nonly title,,1\n,,0\n";
    let json = "{\"title\": \"A\", \"body\": \"b c\", \"label\": 1}\n{\"body\": \"only body\", \"label\": 0}\n\
                {\"title\": \"only title\", \"body\": null, \"label\": 1}\n";
    for (name, content) in [("a.csv", csv), ("a.jsonl", json)] {
        let joined = options(|it| {
            it.columns = columns(&["title", "body"], None);
            it.text_column_delimiter = " - ".to_owned();
        });
        let dataset = read_with(name, content, &joined, None).unwrap().dataset;
        let texts = dataset.examples.iter().map(|example| example.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts[..3], ["A - b c", "only body", "only title"], "{name}");
        assert!(texts.get(3).is_none_or(|text| text.is_empty()), "{name}");
    }
    let dir = TestDir::new();
    let path = dir.write("a.csv", "premise,hypothesis,label\nA,b,1\nC,,0\n");
    let pairs = options(|it| it.columns = columns(&["premise"], Some("hypothesis")));
    let read = read_texts(&path, &pairs).unwrap();
    let note = read.notes[0].to_string();
    assert!(note.ends_with("1 of 2 texts are empty or only whitespace; the first is row 2"), "{note}");
    assert_eq!(
        (read.texts, read.text_pairs),
        (vec!["A".into(), "C".into()], Some(vec!["b".into(), String::new()]))
    );
    let dataset = embert_data::read(&path, "train", &pairs, None).unwrap().dataset;
    assert_eq!(dataset.examples[0].text_pair.as_deref(), Some("b"));
    let same = options(|it| it.columns = columns(&["premise"], Some("premise")));
    let dataset = embert_data::read(&path, "train", &same, None).unwrap().dataset;
    assert_eq!(dataset.examples[1].text_pair.as_deref(), Some("C"));
}

#[test]
fn invalid_text_columns_are_errors() {
    for (name, content, texts, pair, expected) in [
        ("a.csv", "text,label\na,1\n", &["text", "body"][..], None, "no column \"body\"; its columns are"),
        (
            "a.csv",
            "text,sentence2,label\na,b,1\n",
            &["text"],
            Some("pair"),
            "no column \"pair\"; its columns are \"text\", \"sentence2\", \"label\"; did you mean \"sentence2\"?",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"pair\": null, \"label\": 1}\n",
            &["text"],
            Some("pair"),
            "row 1, column \"pair\" is null",
        ),
        (
            "a.jsonl",
            "{\"text\": null, \"body\": null, \"label\": 1}\n",
            &["text", "body"],
            None,
            "row 1, column \"text\" is null",
        ),
        (
            "a.jsonl",
            "{\"text\": \"a\", \"body\": 1, \"label\": 1}\n",
            &["text", "body"],
            None,
            "row 1, column \"body\": found the number 1, expected text",
        ),
    ] {
        let options = options(|it| {
            it.columns.texts = texts.iter().map(|name| (*name).to_owned()).collect();
            it.columns.text_pair = pair.map(str::to_owned);
        });
        let found = error(read_with(name, content, &options, None), name);
        assert!(found.starts_with(&format!("{name}: {expected}")), "{found}");
    }
}

#[test]
fn column_names_match_exactly_first_and_trimmed_second() {
    for (name, content) in [
        ("a.csv", "text, text ,label\nexact,trimmed,1\n"),
        ("a.jsonl", "{\"text\": \"exact\", \" text \": \"trimmed\", \"label\": 1}\n"),
    ] {
        for (column, expected) in [("text", "exact"), (" text ", "trimmed")] {
            let options = options(|it| it.columns = Columns::new(column, " label"));
            let dataset = read_with(name, content, &options, None).unwrap().dataset;
            assert_eq!(dataset.examples[0].text, expected, "{name} {column:?}");
        }
    }
}
