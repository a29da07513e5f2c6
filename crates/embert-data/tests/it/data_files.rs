//! Directories, Hive folders and patterns. `datasets` found the same splits (`fixtures/formats/generate.py`).

use std::io::Write;
use std::path::Path;

use embert_data::{DataError, ReadOptions, TableReader, input_parts, read, splits};
use serde_json::Value;

use crate::TestDir;

pub(crate) fn texts(path: &Path, split: &str) -> Result<Vec<String>, DataError> {
    let dataset = read(path, split, &ReadOptions::default(), None)?.dataset;
    Ok(dataset.examples.into_iter().map(|example| example.text).collect())
}

/// Writes a file whose only row has the name of the file as its text.
pub(crate) fn write_named(dir: &TestDir, name: &str) {
    let csv = format!("text,label\n{name},0\n");
    let json = format!("{{\"text\": \"{name}\", \"label\": 0}}\n");
    if name.ends_with(".gz") {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(csv.as_bytes()).unwrap();
        dir.write(name, out.finish().unwrap());
    } else if name.ends_with(".jsonl") || name.ends_with("train.json") {
        dir.write(name, json);
    } else if name.ends_with(".json") {
        dir.write(name, "{}");
    } else {
        dir.write(name, if name.ends_with(".csv") { csv } else { "words".to_owned() });
    }
}

#[test]
fn directories_are_split_as_datasets_splits_them() {
    let recorded = include_str!("fixtures/formats/layouts.json");
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let layouts = recorded["layouts"].as_array().unwrap();
    assert_eq!(layouts.len(), 28);
    for layout in layouts {
        let dir = TestDir::new();
        let files = layout["files"].as_array().unwrap();
        files.iter().for_each(|name| write_named(&dir, name.as_str().unwrap()));
        let names = splits(&dir.path(""), None).unwrap();
        let found = names.iter().map(|split| {
            let texts = texts(&dir.path(""), split).unwrap_or_else(|error| panic!("{layout}: {error}"));
            serde_json::json!([split, texts])
        });
        assert_eq!(Value::from(found.collect::<Vec<_>>()), layout["splits"], "{}", layout["files"]);
    }
}

#[test]
fn words_stand_for_their_split_and_missing_splits_are_listed() {
    let dir = TestDir::new();
    write_named(&dir, "train.csv");
    write_named(&dir, "dev.csv");
    for split in ["validation", "dev", "val", "valid"] {
        assert_eq!(texts(&dir.path(""), split).unwrap(), ["dev.csv"], "{split}");
    }
    let error = texts(&dir.path(""), "test").unwrap_err().to_string();
    assert!(error.ends_with("found the splits \"train\", \"validation\""), "{error}");
}

#[test]
fn a_configuration_is_a_subdirectory() {
    let dir = TestDir::new();
    for name in [
        "mrpc/train-00000-of-00001.csv",
        "mnli/train-00000-of-00001.csv",
        "mnli/validation_matched-00000-of-00001.csv",
    ] {
        write_named(&dir, name);
    }
    let of = |config: &str, split: &str| {
        let options = ReadOptions { dataset_config_name: Some(config.to_owned()), ..ReadOptions::default() };
        read(&dir.path(""), split, &options, None).map(|read| read.dataset.examples[0].text.clone())
    };
    assert_eq!(of("mrpc", "train").unwrap(), "mrpc/train-00000-of-00001.csv");
    assert_eq!(of("mnli", "validation_matched").unwrap(), "mnli/validation_matched-00000-of-00001.csv");
    assert_eq!(splits(&dir.path(""), Some("mnli")).unwrap(), ["train", "validation_matched"]);
    let unknown = of("cola", "train").unwrap_err().to_string();
    assert!(unknown.ends_with("no configuration \"cola\"; found \"mnli\", \"mrpc\""), "{unknown}");
    let ambiguous = texts(&dir.path(""), "train").unwrap_err().to_string();
    assert!(
        ambiguous.contains("both mnli and mrpc contain the split train; pass one of these"),
        "{ambiguous}"
    );
}

#[test]
fn parts_of_a_data_lake_are_read_in_order_with_the_columns_of_its_folders() {
    let dir = TestDir::new();
    for (name, content) in [
        ("year=2023/label=neg/part-00000.csv", "text\na\n"),
        ("year=2024/label=a%20b/part-00000.csv", "text\nb\nc\n"),
        ("year=2024/label=a%20b/part-00001.csv", ""),
        ("year=2024/label=a%20b/_SUCCESS", ""),
        ("year=2024/label=a%20b/.part-00000.csv.crc", "crc"),
        ("_delta_log/0.json", "{}"),
    ] {
        dir.write(name, content);
    }
    let dataset = read(&dir.path(""), "train", &ReadOptions::default(), None).unwrap().dataset;
    assert_eq!(dataset.labels.names(), ["a b", "neg"]);
    assert_eq!(crate::rows(&dataset), [("a", 1), ("b", 0), ("c", 0)]);
    let tables = TableReader::open(&dir.path(""), &ReadOptions::default()).unwrap();
    let tables = tables.collect::<Result<Vec<_>, _>>().unwrap();
    let mut out = Vec::new();
    tables.iter().for_each(|table| table.write_jsonl(&mut out).unwrap());
    let expected = concat!(
        "{\"text\":\"a\",\"year\":\"2023\",\"label\":\"neg\"}\n",
        "{\"text\":\"b\",\"year\":\"2024\",\"label\":\"a b\"}\n",
        "{\"text\":\"c\",\"year\":\"2024\",\"label\":\"a b\"}\n",
    );
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let parts = input_parts(&dir.path("")).unwrap();
    let names = parts.iter().map(|path| path.strip_prefix(dir.path("")).unwrap().to_str().unwrap());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["year=2023/label=neg/part-00000.csv", "year=2024/label=a%20b/part-00000.csv",]
    );
}

#[test]
fn patterns_match_files_in_order() {
    let dir = TestDir::new();
    for name in ["a1.csv", "a2.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/deep/er/e.csv"] {
        write_named(&dir, name);
    }
    for name in ["notes.md", ".a0.csv", "_a.csv", ".git/f.csv", "sub/_tmp/g.csv"] {
        write_named(&dir, name);
    }
    let all = ["a1.csv", "a2.csv", "b.csv", "sub/c.csv", "sub/deep/d.csv", "sub/deep/er/e.csv"];
    for (pattern, expected) in [
        ("a*.csv", &["a1.csv", "a2.csv"][..]),
        ("*", &all),
        ("**", &all),
        ("**/*", &all),
        ("**/", &all),
        ("**/*.csv", &all),
        ("**/**/*.csv", &all),
        ("sub/**", &all[3..]),
        ("sub/**/*", &all[3..]),
        ("sub/**/d*", &all[4..]),
        ("*/", &all[3..]),
        ("*/*.csv", &all[3..4]),
        ("*/deep", &all[4..]),
        ("*/deep/*.csv", &all[4..5]),
        ("*/../b.*", &["b.csv"]),
        ("sub/_tmp/*", &["sub/_tmp/g.csv"]),
        ("*/_tmp/*", &["sub/_tmp/g.csv"]),
        ("a[2-9].csv", &["a2.csv"]),
        ("?.csv", &["b.csv"]),
    ] {
        assert_eq!(texts(&dir.path(pattern), "any").unwrap(), expected, "{pattern}");
        assert_eq!(splits(&dir.path(pattern), None).unwrap(), Vec::<String>::new());
    }
    for (pattern, expected) in [
        ("x*.csv", "x*.csv: no file matches this pattern"),
        ("nowhere/*.csv", "nowhere/*.csv: no file matches this pattern"),
        ("*.csv/*", "*.csv/*: no file matches this pattern"),
        ("*.md", "notes.md: unknown extension \"md\""),
        ("[.csv", "[.csv: not a pattern of file names"),
        ("**a.csv", "**a.csv: not a pattern of file names"),
    ] {
        let error = texts(&dir.path(pattern), "any").unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} lacks {expected:?}");
    }
    let brackets = dir.write("[1].csv", "text,label\nexists,0\n");
    assert_eq!(texts(&brackets, "any").unwrap(), ["exists"]);
}

#[cfg(target_os = "linux")] // other systems do not have such names
#[test]
fn file_names_that_are_not_utf8_are_matched() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let dir = TestDir::new();
    write_named(&dir, "sub/a.csv");
    let name = Path::new(OsStr::from_bytes(b"caf\xe9.csv"));
    std::fs::write(dir.path("sub").join(name), "text,label\nodd,0\n").unwrap();
    for (pattern, expected) in [
        ("sub", &["sub/a.csv", "odd"][..]),
        ("sub/*", &["sub/a.csv", "odd"]),
        ("**/*.csv", &["sub/a.csv", "odd"]),
        ("**/a*", &["sub/a.csv"]),
        ("*/c*.csv", &["odd"]),
    ] {
        assert_eq!(texts(&dir.path(pattern), "train").unwrap(), expected, "{pattern}");
    }
}

#[test]
fn empty_parts_are_skipped_also_if_they_are_compressed() {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()).finish().unwrap();
    let bzip2 = b"BZh9\x17rE8P\x90\0\0\0\0".to_vec();
    let zstd = zstd::encode_all(&b""[..], 1).unwrap();
    for (full, empty, content) in [
        ("a.csv", "b.csv", vec![]),
        ("a.csv", "b.csv.gz", gzip.clone()),
        ("a.csv.gz", "0.csv.gz", gzip.clone()),
        ("a.jsonl", "b.json.gz", gzip.clone()),
        ("a.csv", "b.csv.bz2", bzip2),
        ("a.csv", "b.csv.zst", zstd),
        ("train-00000-of-00002.csv.gz", "train-00001-of-00002.csv.gz", gzip.clone()),
        ("year=1/a.csv", "year=2/a.csv.gz", gzip.clone()),
    ] {
        let dir = TestDir::new();
        write_named(&dir, full);
        dir.write(empty, &content);
        for path in ["", "*", "**"] {
            assert_eq!(texts(&dir.path(path), "train").unwrap(), [full], "{path} {empty}");
        }
        std::fs::remove_file(dir.path(full)).unwrap();
        assert!(input_parts(&dir.path("")).unwrap_err().to_string().ends_with("no rows"), "{empty}");
    }
    let dir = TestDir::new();
    let error = texts(&dir.write("a.csv.gz", gzip), "train").unwrap_err().to_string();
    assert!(error.ends_with("a.csv.gz: no rows"), "{error}");
}

#[test]
fn shards_do_not_hide_other_splits() {
    for (files, expected) in [
        // `datasets` reads the files with words, too; the same rows would be twice in `train`.
        (&["train-00000-of-00001.csv", "train.csv"][..], &[("train", "train-00000-of-00001.csv")][..]),
        (
            &["x/train-00000-of-00001.csv", "x/test.csv"],
            &[("train", "x/train-00000-of-00001.csv"), ("test", "x/test.csv")],
        ),
        (
            &["more-00000-of-00001.csv", "dev.csv"],
            &[("validation", "dev.csv"), ("more", "more-00000-of-00001.csv")],
        ),
        // Files of another format are not part of the dataset.
        (&["x/more-00000-of-00001.csv", "notes.txt"], &[("more", "x/more-00000-of-00001.csv")]),
        (&["train-00000-of-00001.csv", "test.jsonl"], &[("train", "train-00000-of-00001.csv")]),
    ] {
        let dir = TestDir::new();
        files.iter().for_each(|name| write_named(&dir, name));
        let found = splits(&dir.path(""), None).unwrap();
        let found =
            found.iter().map(|split| (split.as_str(), texts(&dir.path(""), split).unwrap().join(" ")));
        let expected = expected.iter().map(|(split, text)| (*split, (*text).to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{files:?}");
    }
}

#[test]
fn files_with_other_columns_are_an_error_that_names_both() {
    let dir = TestDir::new();
    dir.write("a.csv", "text,label\na,1\n");
    dir.write("b.csv", "label,text\n0,b\n");
    let tables = |path: &Path| -> Result<usize, DataError> {
        TableReader::open(path, &ReadOptions::default())?.map(|table| table.map(|table| table.rows())).sum()
    };
    assert_eq!(tables(&dir.path("")).unwrap(), 2); // another order is no difference
    dir.write("c.csv", "text,label,extra\nc,1,x\n");
    let error = tables(&dir.path("")).unwrap_err().to_string();
    assert!(
        error.contains("c.csv: its columns are \"text\", \"label\", \"extra\", but those of ")
            && error.contains("a.csv are \"text\", \"label\""),
        "{error}"
    );
}

#[test]
fn unusual_directories_are_errors_that_name_them() {
    let dir = TestDir::new();
    for (name, content, expected) in [
        (
            "state.json",
            r#"{"_data_files": [{"filename": "../outside.arrow"}], "_split": null}"#,
            "it lists no data files",
        ),
        ("state.json", r#"{"_data_files": [{"filename": "missing.arrow"}]}"#, "missing.arrow: "),
        ("state.json", "{", "state.json: damaged or truncated"),
        (
            "dataset_dict.json",
            r#"{"splits": ["train"]}"#,
            "state.json: damaged or truncated: it lists no data files",
        ),
        ("dataset_dict.json", r#"{"splits": ["../x"]}"#, "no split train"),
    ] {
        let path = dir.write(name, content);
        let error = texts(&dir.path(""), "train").unwrap_err().to_string();
        assert!(error.contains(expected), "{content}: {error:?} lacks {expected:?}");
        std::fs::remove_file(path).unwrap();
    }
    assert!(texts(Path::new("no/such/directory"), "train").is_err());
    assert!(splits(Path::new("no/such/directory"), None).is_err());
    assert!(input_parts(&dir.path("")).unwrap_err().to_string().ends_with("no rows"));
}
