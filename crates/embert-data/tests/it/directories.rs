//! Directories with shards, and the folders of aclImdb.

use std::path::Path;

use embert_data::{DataError, Dataset, ReadOptions, read};

use crate::parquet_files::parquet_of;
use crate::{TestDir, rows};

fn read_split(directory: &Path, split: &str) -> Result<Dataset, DataError> {
    read(directory, split, &ReadOptions::default(), None).map(|read| read.dataset)
}

fn shard(dir: &TestDir, name: &str, rows: &[(&str, i64)]) {
    dir.write(name, parquet_of(rows));
}

#[test]
fn shards_are_read_in_order_at_both_levels() {
    for folder in ["", "plain_text/"] {
        let dir = TestDir::new();
        shard(&dir, &format!("{folder}train-00001-of-00002.parquet"), &[("c", 1)]);
        shard(&dir, &format!("{folder}train-00000-of-00002.parquet"), &[("a", 0), ("b", 1)]);
        shard(&dir, &format!("{folder}train-extra-00000-of-00001.parquet"), &[("x", 0)]);
        shard(&dir, &format!("{folder}test-00000-of-00001-0a1b.parquet"), &[("t", 1)]);
        dir.write("README.md", "---");
        let train = read_split(&dir.path(""), "train").unwrap();
        assert_eq!(rows(&train), [("a", 0), ("b", 1), ("c", 1)]);
        assert_eq!(rows(&read_split(&dir.path(""), "test").unwrap()), [("t", 0)]);
    }
}

#[test]
fn a_missing_split_lists_the_existing_splits() {
    let dir = TestDir::new();
    shard(&dir, "plain_text/train-00000-of-00001.parquet", &[("a", 0)]);
    shard(&dir, "plain_text/test-00000-of-00001.parquet", &[("a", 0)]);
    let message = read_split(&dir.path(""), "validation").unwrap_err().to_string();
    assert!(
        message.ends_with(
            "no split validation: expected files or folders with this word in their names, such as validation.csv; \
             found the splits \"train\", \"test\""
        ),
        "{message}"
    );
}

#[test]
fn a_directory_without_splits_lists_its_files() {
    let dir = TestDir::new();
    let message = || read_split(&dir.path(""), "train").unwrap_err().to_string();
    assert!(message().ends_with("found nothing"), "{}", message());
    dir.write("reviews.xlsx", "PK");
    assert!(message().ends_with("found \"reviews.xlsx\""), "{}", message());
}

#[test]
fn a_missing_shard_is_an_error() {
    let dir = TestDir::new();
    shard(&dir, "train-00000-of-00003.parquet", &[("a", 0)]);
    shard(&dir, "train-00002-of-00003.parquet", &[("c", 0)]);
    let message = read_split(&dir.path(""), "train").unwrap_err().to_string();
    assert!(message.contains("has 2 files, but their names say 3"), "{message}");
}

#[test]
fn a_split_in_two_subdirectories_is_an_error() {
    let dir = TestDir::new();
    shard(&dir, "de/train-00000-of-00001.parquet", &[("a", 0)]);
    shard(&dir, "en/train-00000-of-00001.parquet", &[("a", 0)]);
    let message = read_split(&dir.path(""), "train").unwrap_err().to_string();
    assert!(message.contains("both de and en contain the split train"), "{message}");
}

#[test]
fn a_missing_path_is_named() {
    let message = read_split(Path::new("no/such/dir"), "train").unwrap_err().to_string();
    assert!(message.starts_with("no/such/dir: "), "{message}");
}

#[test]
fn acl_imdb_has_negative_reviews_first_and_the_labels_of_the_hub() {
    let dir = TestDir::new();
    dir.write("train/pos/0_9.txt", "loved it");
    dir.write("train/neg/1_1.txt", "hated it");
    dir.write("train/neg/0_3.txt", "so so<br />");
    dir.write("train/neg/list.html", "not a review");
    dir.write("train/unsup/0_0.txt", "who knows");
    let dataset = read_split(&dir.path(""), "train").unwrap();
    assert_eq!(dataset.labels.names(), ["neg", "pos"]);
    assert_eq!(rows(&dataset), [("so so<br />", 0), ("hated it", 0), ("loved it", 1)]);
}

#[test]
fn a_third_class_next_to_neg_and_pos_is_an_error() {
    for (other, expected) in [
        ("neu/0_5.txt", Some("train/neu: texts of a third class next to the folders neg and pos")),
        ("unsup/0_0.txt", None),
        ("neu/readme.md", None),
        (".neu/0_5.txt", None),
    ] {
        let dir = TestDir::new();
        for name in ["neg/0_1.txt", "pos/0_9.txt", other] {
            dir.write(&format!("train/{name}"), "a review");
        }
        match (read_split(&dir.path(""), "train"), expected) {
            (Ok(dataset), None) => assert_eq!(dataset.len(), 2, "{other}"),
            (Err(error), Some(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (read, _) => panic!("{other}: {read:?}"),
        }
    }
}

#[test]
fn invalid_utf8_in_acl_imdb_is_an_error_with_the_file() {
    let dir = TestDir::new();
    dir.write("test/pos/0_9.txt", b"caf\xe9");
    dir.write("test/neg/0_1.txt", "no");
    let message = read_split(&dir.path(""), "test").unwrap_err().to_string();
    assert!(message.contains("0_9.txt: row 1, column \"text\" is not UTF-8"), "{message}");
}
