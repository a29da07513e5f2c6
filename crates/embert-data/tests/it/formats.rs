//! The same rows in all formats and compressions, as pandas, pyarrow and `datasets` write them.

use std::path::{Path, PathBuf};

use embert_data::{Columns, ReadOptions, Table, read, read_table, read_texts};

use crate::{TestDir, is_supported, rows};

const TEXTS: [&str; 3] = ["good, \"very\" good\tindeed", "café 電影 😀", "bad"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/formats")
}

/// Returns the files of a folder of fixtures, sorted by name.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixtures().join(folder)).unwrap();
    let mut files =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect::<Vec<_>>();
    files.retain(|path| is_supported(path.to_str().unwrap()));
    files.sort();
    files
}

fn jsonl(table: &Table) -> String {
    let mut out = Vec::new();
    table.write_jsonl(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_and_compression_has_the_same_rows() {
    let files = files("files");
    assert!(files.len() >= if cfg!(feature = "parquet") { 68 } else { 50 }, "{}", files.len());
    for path in files {
        let read = read(&path, "train", &ReadOptions::default(), None);
        let dataset = read.unwrap_or_else(|error| panic!("{error}")).dataset;
        assert_eq!(rows(&dataset), [(TEXTS[0], 1), (TEXTS[1], 0), (TEXTS[2], 2)], "{}", path.display());
        assert_eq!(dataset.labels.names(), ["LABEL_0", "LABEL_1", "LABEL_2"], "{}", path.display());
        assert_eq!(read_texts(&path, &ReadOptions::default()).unwrap().texts, TEXTS, "{}", path.display());
    }
}

#[test]
fn every_format_has_the_same_table() {
    for path in files("files") {
        let (table, notes) = read_table(&path, &ReadOptions::default()).unwrap();
        let mut names = table.column_names().collect::<Vec<_>>();
        names.sort_unstable();
        assert_eq!((names, notes), (vec!["label", "text"], vec![]), "{}", path.display());
        // Cells of csv and labels of fastText are text.
        let found = jsonl(&table).replace("\"1\"", "1").replace("\"0\"", "0").replace("\"2\"", "2");
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let expected = |text_first: bool| {
            let row = |(value, label): (&&str, i32)| match text_first {
                true => format!("{{\"text\":{},\"label\":{label}}}\n", text(value)),
                false => format!("{{\"label\":{label},\"text\":{}}}\n", text(value)),
            };
            TEXTS.iter().zip([1, 0, 2]).map(row).collect::<String>()
        };
        let found =
            found.replace("\\u00e9", "é").replace("\\u96fb\\u5f71", "電影").replace("\\ud83d\\ude00", "😀");
        assert_eq!(found, expected(found.starts_with("{\"text\"")), "{}", path.display());
    }
}

#[test]
fn texts_are_decoded_by_their_encoding_or_byte_order_mark() {
    for path in files("files/encodings") {
        let encoding = path.file_stem().unwrap().to_str().unwrap();
        let word = match encoding {
            "latin-1" | "utf-8-sig" => "café",
            "cp1252" => "“café”",
            "cp1251" => "кино",
            "gb18030" | "utf-16-le" | "utf-16-be" => "电影",
            "shift_jis" => "映画",
            "euc_kr" => "영화",
            "big5" => "電影",
            "utf-16" => "电影 😀",
            other => panic!("no word for {other}"),
        };
        let has_mark = matches!(encoding, "utf-16" | "utf-8-sig");
        let named = ReadOptions { csv_encoding: Some(encoding.parse().unwrap()), ..ReadOptions::default() };
        // A byte order mark decides, even if the options name another encoding.
        let wrong = ReadOptions { csv_encoding: Some("latin-1".parse().unwrap()), ..ReadOptions::default() };
        for options in [Some(named), has_mark.then(ReadOptions::default), has_mark.then_some(wrong)] {
            let Some(options) = options else { continue };
            let dataset =
                read(&path, "train", &options, None).unwrap_or_else(|error| panic!("{error}")).dataset;
            assert_eq!(rows(&dataset), [(word, 1), ("plain", 0)], "{}", path.display());
        }
    }
}

#[test]
fn text_that_cannot_be_decoded_names_the_row_and_a_guess() {
    let dir = TestDir::new();
    let of = |encoding: &str| ReadOptions {
        csv_encoding: Some(encoding.parse().unwrap()),
        ..ReadOptions::default()
    };
    let cyrillic = b"\xef\xf0\xe8\xe2\xe5\xf2 \xea\xe0\xea \xe4\xe5\xeb\xe0 ";
    let long = [b"text,label\na,1\n".as_slice(), &cyrillic.repeat(20), b",0\n"].concat();
    for (name, content, options, expected) in [
        (
            "a.csv",
            b"text,label\ncaf\xe9,1\n".to_vec(),
            ReadOptions::default(),
            "row 1, column \"text\" is not UTF-8; the file looks like windows-1252",
        ),
        (
            "a.csv",
            long,
            ReadOptions::default(),
            "row 2, column \"text\" is not UTF-8; the file looks like windows-1251",
        ),
        (
            "a.jsonl",
            b"{\"text\": \"a\", \"label\": 1}\n{\"text\": \"caf\xe9\", \"label\": 1}".to_vec(),
            ReadOptions::default(),
            "row 2: the text is not utf-8; the file looks like windows-1252",
        ),
        (
            "a.txt",
            b"__label__a b\ncaf\xe9\n".to_vec(),
            ReadOptions::default(),
            "row 2: the text is not utf-8; the file looks like windows-1252",
        ),
        ("a.csv", b"text,label\na,1\nb\x83".to_vec(), of("shift_jis"), "row 2: the text is not shift_jis"),
        ("a.csv", b"te\x83\x20xt,label\n".to_vec(), of("shift_jis"), "a.csv: the text is not shift_jis"),
        ("a.jsonl", b"\xff\xfe{\0".to_vec(), of("utf-8"), "row 1: not JSON"),
        ("a.jsonl", b"\xff\xfea\0\n\0{".to_vec(), of("utf-8"), "row 1: not JSON"),
        (
            "a.csv",
            "text,label\n".encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ReadOptions::default(),
            "the text looks like utf-16le without a byte order mark",
        ),
    ] {
        let error = read(&dir.write(name, content), "train", &options, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
}

#[test]
fn options_of_csv_replace_the_separator_and_the_header() {
    let dir = TestDir::new();
    let semicolon = ReadOptions { csv_separator: Some(b';'), ..ReadOptions::default() };
    let names = |names: &[&str]| ReadOptions {
        csv_column_names: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..ReadOptions::default()
    };
    for (content, options) in [
        ("text;label\na, b;1\nc;0\n", semicolon.clone()),
        ("1,\"a, b\"\n0,c\n", names(&["label", "text"])),
        ("9,1,\"a, b\"\n9,0,c\n", names(&["id", "label", "text"])),
    ] {
        let dataset = read(&dir.write("a.csv", content), "train", &options, None).unwrap().dataset;
        assert_eq!(rows(&dataset), [("a, b", 1), ("c", 0)], "{content:?}");
    }
    let long = "a review of some ten words that is longer than any name of a column";
    for (content, options, expected) in [
        ("text,label\na,1\n", semicolon, "is separated by commas; rename it to .csv"),
        (
            "a,1\nb,0\n",
            ReadOptions::default(),
            "no column \"text\"; the first row looks like data, not like a header: \"1\"",
        ),
        (
            &format!("{long},pos\nb,neg\n"),
            ReadOptions::default(),
            "looks like data, not like a header: \"a review of some ten words that is longe...\"",
        ),
        ("a,1,x\nb,0,x\n", names(&["text", "label"]), "row 1: found 3 cells, but 2 column names are given"),
        (
            "a,1\n",
            names(&["review", "label"]),
            "no column \"text\"; its columns are \"review\", \"label\"; did you mean \"review\"?",
        ),
    ] {
        let error = read(&dir.write("a.csv", content), "train", &options, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
}

#[test]
fn json_documents_have_rows_in_lists_fields_and_columns() {
    let dir = TestDir::new();
    let field = |name: &str| ReadOptions { json_field: Some(name.to_owned()), ..ReadOptions::default() };
    let none = ReadOptions::default;
    for (content, options) in [
        (r#"[{"text": "a", "label": 1}, {"text": "b", "label": 0}]"#, none()),
        ("\u{feff} [\n {\"text\": \"a\", \"label\": 1}\n,\n {\"text\": \"b\", \"label\": 0}]\n\n", none()),
        (
            r#"{"version": {"a": [1]}, "data": [{"text": "a", "label": 1}, {"text": "b", "label": 0}], "more": 1}"#,
            field("data"),
        ),
        (r#"{"data": {"text": ["a", "b"], "label": [1, 0]}}"#, field("data")),
        (r#"{"text": ["a", "b"], "label": [1, 0]}"#, none()),
        (r#"{"text": {"0": "a", "1": "b"}, "label": {"0": 1, "1": 0}}"#, none()),
        ("{\"text\": \"a\",\n \"label\": 1}\n{\"text\": \"b\",\n\"label\": 0}", none()),
        ("{\"text\": \"a\", \"label\": 1}\n\n{\"text\": \"b\", \"label\": 0}", none()),
    ] {
        let dataset = read(&dir.write("a.json", content), "train", &options, None);
        let dataset = dataset.unwrap_or_else(|error| panic!("{content}: {error}")).dataset;
        assert_eq!(rows(&dataset), [("a", 1), ("b", 0)], "{content}");
    }
    let path = dir.write("strings.json", r#"["a", "b\n"]"#);
    assert_eq!(read_texts(&path, &none()).unwrap().texts, ["a", "b\n"]);
    for (content, options, expected) in [
        (r#"{"data": [{"text": "a"}]}"#, none(), "whose key \"data\" has a list of objects; name this key"),
        (
            "{\n\"data\": [\n{\"text\": \"a\"}]}",
            none(),
            "whose key \"data\" has a list of objects; name this key",
        ),
        (
            r#"{"data": [], "x": 1}"#,
            field("rows"),
            "no key \"rows\"; the keys of the document are \"data\", \"x\"",
        ),
        (r#"{"data": 5}"#, field("data"), "the value of \"data\" is not a list of objects"),
        (r#"[{"text": "a", "label": 1}, 7]"#, none(), "row 2: expected a JSON object, found the number 7"),
        (
            r#"[{"text": "a", "label": 1} {"text": "b"}]"#,
            none(),
            "row 2: not JSON: expected a comma or the end of the list",
        ),
        (r#"[{"text": "a", "label": 1}"#, none(), "row 2: not JSON"),
        (r#"[{"text": "a", "label": 1}] x"#, none(), "not JSON: text after the list"),
        ("[]", none(), "no rows"),
        ("[", none(), "row 1: not JSON"),
        (r#"{"text": ["a", "b"], "label": [1]}"#, none(), "row 1, column \"text\": found a list"),
        ("hello", none(), "row 1: not JSON"),
    ] {
        let error = read(&dir.write("a.json", content), "train", &options, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{content}: {error:?} lacks {expected:?}");
    }
}

#[test]
fn txt_has_a_text_on_each_line_or_the_labels_of_fasttext() {
    let dir = TestDir::new();
    let texts = read_texts(&dir.write("a.txt", "one, \"two\"\r\n\n last\tline"), &ReadOptions::default());
    assert_eq!(texts.unwrap().texts, ["one, \"two\"", "", " last\tline"]);
    let single = read(
        &dir.write("b.txt", "__label__pos good\n__label__neg __not__ bad\n"),
        "train",
        &ReadOptions::default(),
        None,
    );
    let single = single.unwrap().dataset;
    assert_eq!(
        (rows(&single), single.labels.names()),
        (vec![("good", 1), ("__not__ bad", 0)], &["neg".to_owned(), "pos".to_owned()][..])
    );
    let several = dir.write("c.txt", "__label__a one\n__label__a __label__b two\nnone\n");
    let several = read(&several, "train", &ReadOptions::default(), None).unwrap().dataset;
    let labels = several.examples.iter().map(|example| (example.text.as_str(), example.target.label_ids()));
    assert_eq!(labels.collect::<Vec<_>>(), [("one", &[0][..]), ("two", &[0, 1]), ("none", &[])]);
    let error = read(&dir.write("d.txt", "one\n"), "train", &ReadOptions::default(), None).unwrap_err();
    assert!(error.to_string().contains("no column \"label\"; its columns are \"text\""), "{error}");
}

#[test]
fn a_zip_archive_must_have_one_table() {
    let dir = TestDir::new();
    let archive = std::fs::read(fixtures().join("files/archive.zip")).unwrap();
    let damaged = [&archive[..archive.len() / 2], &[0; 40], &archive[archive.len() / 2 + 40..]].concat();
    for (name, content, expected) in [
        (
            "a.zip",
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            "must contain one table; found nothing",
        ),
        ("a.zip", archive[..100].to_vec(), "damaged or truncated"),
        ("a.csv", damaged, "damaged or truncated"),
    ] {
        let error = read_table(&dir.write(name, content), &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn saved_datasets_have_splits_and_label_names() {
    use embert_data::{TableReader, splits};
    let dataset = fixtures().join("saved_dataset");
    let dict = fixtures().join("saved_dict");
    assert_eq!(splits(&dataset, None).unwrap(), ["train"]);
    assert_eq!(splits(&dict, None).unwrap(), ["train", "dev"]);
    for (path, split, expected) in [
        (&dataset, "train", &[(TEXTS[0], 1), (TEXTS[1], 0), (TEXTS[2], 2)][..]),
        (&dict, "train", &[(TEXTS[0], 1), (TEXTS[1], 0), (TEXTS[2], 2)]),
        (&dict, "dev", &[(TEXTS[2], 2)]),
    ] {
        let dataset = read(path, split, &ReadOptions::default(), None).unwrap().dataset;
        assert_eq!(rows(&dataset), expected);
        assert_eq!(dataset.labels.names(), ["neg", "pos", "mixed"]);
    }
    let error = read(&dataset, "test", &ReadOptions::default(), None).unwrap_err().to_string();
    assert!(error.ends_with("found the splits \"train\""), "{error}");
    let tables = TableReader::open(&dataset, &ReadOptions::default()).unwrap();
    assert_eq!(tables.map(|table| table.unwrap().rows()).sum::<usize>(), 3);
}

#[cfg(feature = "parquet")]
#[test]
fn a_saved_dataset_has_the_split_that_it_was_loaded_from() {
    use embert_data::{saved_split, splits};
    let dir = TestDir::new();
    for path in files("saved_dataset") {
        dir.write(path.file_name().unwrap().to_str().unwrap(), std::fs::read(&path).unwrap());
    }
    let state = std::fs::read_to_string(dir.path("state.json")).unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&state).unwrap();
    for (written, split) in [
        (None, "train"),
        (Some("train"), "train"),
        (Some("train[:1000]"), "train"),
        (Some("test[10%:20%]"), "test"),
        (Some("train+train"), "train"),
        (Some("validation[:10]+test"), "validation"),
        (Some("[:5]"), "train"),
    ] {
        state["_split"] = written.into();
        dir.write("state.json", state.to_string());
        assert_eq!(splits(&dir.path(""), None).unwrap(), [split], "{written:?}");
        assert_eq!(saved_split(&dir.path("")).unwrap().as_deref(), Some(split), "{written:?}");
        let dataset = read(&dir.path(""), split, &ReadOptions::default(), None).unwrap().dataset;
        assert_eq!(dataset.len(), 3, "{written:?}");
    }
    for path in [fixtures().join("saved_dict"), fixtures().join("files"), fixtures().join("files/rows.csv")] {
        assert_eq!(saved_split(&path).unwrap(), None, "{}", path.display());
    }
}

#[test]
fn columns_are_found_in_every_format() {
    let dir = TestDir::new();
    let options = ReadOptions { columns: Columns::new("review", "stars"), ..ReadOptions::default() };
    for (name, content) in [
        ("a.csv", "stars,review,x\n1,a,\n0,b,\n"),
        ("a.json", r#"[{"review": "a", "stars": 1, "x": [1]}, {"stars": 0, "review": "b"}]"#),
        ("a.jsonl", "{\"review\": \"a\", \"stars\": 1}\n{\"stars\": 0, \"review\": \"b\"}\n"),
    ] {
        let dataset = read(&dir.write(name, content), "train", &options, None).unwrap().dataset;
        assert_eq!(rows(&dataset), [("a", 1), ("b", 0)], "{name}");
    }
}
