//! Directories of shards and aclImdb's folders.

use std::path::Path;

use embert_data::{DataError, Dataset, ReadOptions, read};

use crate::parquet_files::parquet_of;
use crate::{Place, rows};

fn read_split(directory: &Path, split: &str) -> Result<Dataset, DataError> {
    read(directory, split, &ReadOptions::default(), None).map(|read| read.dataset)
}

fn shard(place: &Place, name: &str, rows: &[(&str, i64)]) {
    place.file(name, parquet_of(rows));
}

#[test]
fn shards_are_read_in_order_here_and_one_level_down() {
    for folder in ["", "plain_text/"] {
        let place = Place::new();
        shard(&place, &format!("{folder}train-00001-of-00002.parquet"), &[("c", 1)]);
        shard(&place, &format!("{folder}train-00000-of-00002.parquet"), &[("a", 0), ("b", 1)]);
        shard(&place, &format!("{folder}train-extra-00000-of-00001.parquet"), &[("x", 0)]);
        shard(&place, &format!("{folder}test-00000-of-00001-0a1b.parquet"), &[("t", 1)]);
        place.file("README.md", "---");
        let train = read_split(&place.path(""), "train").unwrap();
        assert_eq!(rows(&train), [("a", 0), ("b", 1), ("c", 1)]);
        assert_eq!(rows(&read_split(&place.path(""), "test").unwrap()), [("t", 0)]);
    }
}

#[test]
fn a_missing_split_names_those_that_are_there() {
    let place = Place::new();
    shard(&place, "plain_text/train-00000-of-00001.parquet", &[("a", 0)]);
    shard(&place, "plain_text/test-00000-of-00001.parquet", &[("a", 0)]);
    let message = read_split(&place.path(""), "validation").unwrap_err().to_string();
    assert!(
        message.ends_with(
            "no validation-*.parquet here or one level down, and no validation/pos and validation/neg; \
             found the splits \"test\", \"train\""
        ),
        "{message}"
    );
}

#[test]
fn a_directory_without_any_split_names_what_is_there() {
    let place = Place::new();
    let message = || read_split(&place.path(""), "train").unwrap_err().to_string();
    assert!(message().ends_with("found nothing"), "{}", message());
    place.file("reviews.csv", "text,label\n");
    assert!(message().ends_with("found \"reviews.csv\"; give the path of one file"), "{}", message());
}

#[test]
fn a_missing_shard_is_refused() {
    let place = Place::new();
    shard(&place, "train-00000-of-00003.parquet", &[("a", 0)]);
    shard(&place, "train-00002-of-00003.parquet", &[("c", 0)]);
    let message = read_split(&place.path(""), "train").unwrap_err().to_string();
    assert!(message.contains("has 2 parquet files, but their names say 3"), "{message}");
}

#[test]
fn two_configurations_are_not_guessed_between() {
    let place = Place::new();
    shard(&place, "de/train-00000-of-00001.parquet", &[("a", 0)]);
    shard(&place, "en/train-00000-of-00001.parquet", &[("a", 0)]);
    let message = read_split(&place.path(""), "train").unwrap_err().to_string();
    assert!(message.contains("both de and en hold the split train"), "{message}");
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let message = read_split(Path::new("no/such/place"), "train").unwrap_err().to_string();
    assert!(message.starts_with("no/such/place: "), "{message}");
}

#[test]
fn acl_imdb_gives_negative_reviews_first_and_the_hubs_label_names() {
    let place = Place::new();
    place.file("train/pos/0_9.txt", "loved it");
    place.file("train/neg/1_1.txt", "hated it");
    place.file("train/neg/0_3.txt", "so so<br />");
    place.file("train/neg/list.html", "not a review");
    place.file("train/unsup/0_0.txt", "who knows");
    let dataset = read_split(&place.path(""), "train").unwrap();
    assert_eq!(dataset.labels.names(), ["neg", "pos"]);
    assert_eq!(rows(&dataset), [("so so<br />", 0), ("hated it", 0), ("loved it", 1)]);
}

#[test]
fn an_acl_imdb_review_that_is_not_utf8_is_named() {
    let place = Place::new();
    place.file("test/pos/0_9.txt", b"caf\xe9");
    place.file("test/neg/0_1.txt", "no");
    let message = read_split(&place.path(""), "test").unwrap_err().to_string();
    assert!(message.contains("0_9.txt: row 1, column \"text\" is not UTF-8"), "{message}");
}
