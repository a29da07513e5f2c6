//! Directories with files of several formats: one format is read, a note names the others, and `input_parts` has all.

use embert_data::{DataNote, ReadOptions, TableReader, input_parts, read, read_table};

use crate::TestDir;
use crate::data_files::{texts, write_named};

/// Returns the note about skipped files, without the directory; `None` if there is no such note.
fn note(notes: &[DataNote], dir: &TestDir) -> Option<String> {
    let found = notes.iter().find(|note| matches!(note, DataNote::OtherFormats { .. }))?.to_string();
    Some(found.replace(&dir.path("").display().to_string(), ""))
}

#[test]
fn a_note_names_the_files_of_other_formats() {
    for (files, expected, format, skipped) in [
        (&["a.csv", "b.csv", "c.jsonl"][..], &["a.csv", "b.csv"][..], "csv or tsv", r#""c.jsonl""#),
        (&["a.csv", "c.jsonl"], &["c.jsonl"], "json or jsonl", r#""a.csv""#),
        (
            &["a.csv", "b.csv.gz", "c.txt", "d.jsonl"],
            &["a.csv", "b.csv.gz"],
            "csv or tsv",
            r#""c.txt", "d.jsonl""#,
        ),
        (&["train.csv", "test.csv", "train.jsonl"], &["train.csv"], "csv or tsv", r#""train.jsonl""#),
        (&["x/a.csv", "x/b.csv", "y/c.txt"], &["x/a.csv", "x/b.csv"], "csv or tsv", r#""y/c.txt""#),
        (
            &["train/a.csv", "train/b.csv", "train/c.jsonl"],
            &["train/a.csv", "train/b.csv"],
            "csv or tsv",
            r#""train/c.jsonl""#,
        ),
        (
            &["train-00000-of-00001.csv", "test.jsonl"],
            &["train-00000-of-00001.csv"],
            "csv or tsv",
            r#""test.jsonl""#,
        ),
        (
            &["x/train-00000-of-00001.csv", "notes.txt", "x/b.jsonl"],
            &["x/train-00000-of-00001.csv"],
            "csv or tsv",
            r#""notes.txt", "x/b.jsonl""#,
        ),
    ] {
        let dir = TestDir::new();
        files.iter().for_each(|name| write_named(&dir, name));
        assert_eq!(texts(&dir.path(""), "train").unwrap(), expected, "{files:?}");
        let read = read(&dir.path(""), "train", &ReadOptions::default(), None).unwrap();
        let note = note(&read.notes, &dir).unwrap();
        let expected =
            format!(": only the {format} files are read; skipped {skipped}; write all files in one");
        assert!(note.contains(&expected), "{files:?}: {note}");
    }
}

#[test]
fn files_without_rows_or_of_the_same_format_are_not_noted() {
    for files in [
        &["a.csv", "b.csv.gz"][..],
        &["a.csv", "_b.jsonl", ".c.jsonl", ".d/e.jsonl"],
        &["a.csv", "config.json", "dataset_info.json", "README.md", "image.png"],
        &["train-00000-of-00001.csv", "test.csv", "README.md"],
    ] {
        let dir = TestDir::new();
        files.iter().for_each(|name| write_named(&dir, name));
        dir.write("empty.jsonl", "");
        let read = read(&dir.path(""), "train", &ReadOptions::default(), None).unwrap();
        assert_eq!(note(&read.notes, &dir), None, "{files:?}");
    }
}

#[test]
fn tables_of_a_directory_have_the_note_and_parts_have_all_formats() {
    let dir = TestDir::new();
    let files = ["a.csv", "b.csv", "b2.csv", "c.jsonl", "d.txt", "sub/e.jsonl"];
    files.iter().for_each(|name| write_named(&dir, name));
    let skipped = r#"skipped "c.jsonl", "d.txt", "sub/e.jsonl""#;
    let mut tables = TableReader::open(&dir.path(""), &ReadOptions::default()).unwrap();
    assert_eq!(tables.by_ref().map(|table| table.unwrap().rows()).sum::<usize>(), 3);
    assert!(note(&tables.take_notes(), &dir).unwrap().contains(skipped));
    let (table, notes) = read_table(&dir.path(""), &ReadOptions::default()).unwrap();
    assert_eq!(table.rows(), 3);
    assert!(note(&notes, &dir).unwrap().contains(skipped));
    assert_eq!(input_parts(&dir.path("")).unwrap(), files.map(|name| dir.path(name)));
}

#[test]
fn a_split_whose_files_are_skipped_is_an_error_that_names_them() {
    for (files, split, expected) in [
        (
            &["train.csv", "test.jsonl"][..],
            "train",
            r#"the splits "test", and skipped "train.csv" of other formats"#,
        ),
        (
            &["train.csv", "a.csv", "test.txt"],
            "test",
            r#"the splits "train", and skipped "test.txt" of other formats"#,
        ),
    ] {
        let dir = TestDir::new();
        files.iter().for_each(|name| write_named(&dir, name));
        let error = texts(&dir.path(""), split).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}
