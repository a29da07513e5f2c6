//! Downloads of datasets: selected files and their folder.

use std::fs;

use embert_hub::{Hub, HubError};

use crate::server::{COMMIT, TestHub, TestHubState};
use crate::{assert_message, fetch_dataset, offline, settings};

const IMDB: [(&str, &[u8]); 5] = [
    ("README.md", b""),
    ("plain_text/test-00000-of-00001.parquet", b"test"),
    ("plain_text/train-00000-of-00002.parquet", b"train, one"),
    ("plain_text/train-00001-of-00002.parquet", b"train, two"),
    ("plain_text/unsupervised-00000-of-00001.parquet", b"not wanted"),
];

#[test]
fn splits_in_a_folder_are_downloaded_and_work_offline() {
    let hub = TestHub::new(TestHubState::with("datasets/stanfordnlp/imdb", &IMDB));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let folder = fetch_dataset(&settings, "imdb", &["train", "test"], &mut |_| {}).unwrap();
    let snapshot = cache.path().join("datasets--stanfordnlp--imdb/snapshots").join(COMMIT);
    assert_eq!(folder, snapshot.join("plain_text"));
    assert_eq!(fs::read(folder.join("train-00001-of-00002.parquet")).unwrap(), b"train, two");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);

    hub.requests();
    let offline = offline(&settings);
    assert_eq!(fetch_dataset(&offline, "imdb", &["train", "test"], &mut |_| {}).unwrap(), folder);

    let error = fetch_dataset(&offline, "imdb", &["unsupervised"], &mut |_| {}).unwrap_err();
    assert_message(&error, &["dataset stanfordnlp/imdb: the cache", "has no unsupervised-*.parquet"]);
    fs::remove_file(folder.join("train-00000-of-00002.parquet")).unwrap();
    let error = fetch_dataset(&offline, "imdb", &["train"], &mut |_| {}).unwrap_err();
    assert_message(&error, &["has no plain_text/train-*-of-00002.parquet (all but 1 of 2 files)"]);
    assert_eq!(hub.requests(), [""; 0]);
}

#[test]
fn without_the_hub_a_missing_split_differs_from_a_missing_dataset() {
    let hub = TestHub::new(TestHubState::with("datasets/stanfordnlp/imdb", &IMDB));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let offline = offline(&settings);
    let fetch = |split| fetch_dataset(&offline, "imdb", &[split], &mut |_| {}).unwrap_err();
    assert!(matches!(fetch("test"), HubError::NotCached { .. }));
    fetch_dataset(&settings, "imdb", &["train"], &mut |_| {}).unwrap();
    let error = fetch("test");
    assert!(matches!(error, HubError::SplitNotCached { .. }), "{error:?}");
    assert_message(
        &error,
        &["dataset stanfordnlp/imdb: the cache", "has no test-*.parquet", "HF_HUB_OFFLINE"],
    );
    let folder = cache.path().join("datasets--stanfordnlp--imdb");
    fs::rename(&folder, cache.path().join("datasets--imdb")).unwrap();
    let train = fetch_dataset(&offline, "imdb", &["train"], &mut |_| {}).unwrap();
    assert!(train.starts_with(cache.path().join("datasets--imdb")), "{}", train.display());
}

#[test]
fn splits_in_the_root_are_downloaded() {
    let files: [(&str, &[u8]); 2] = [("train-a.parquet", b"t"), ("deep/er/train-b.parquet", b"too deep")];
    let hub = TestHub::new(TestHubState::with("datasets/owner/name", &files));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let folder = fetch_dataset(&settings, "owner/name", &["train"], &mut |_| {}).unwrap();
    assert_eq!(fs::read(folder.join("train-a.parquet")).unwrap(), b"t");
}

#[test]
fn the_error_for_a_missing_split_lists_the_existing_files() {
    let check = |files: &[(&str, &[u8])], splits: &[&str], words: &[&str]| {
        let hub = TestHub::new(TestHubState::with("datasets/owner/name", files));
        let cache = tempfile::tempdir().unwrap();
        let settings = settings(&hub.endpoint, cache.path());
        assert_message(&fetch_dataset(&settings, "owner/name", splits, &mut |_| {}).unwrap_err(), words);
    };
    check(&IMDB, &["train", "dev"], &["no dev-*.parquet", "plain_text/test-00000-of-00001.parquet"]);
    check(
        &[("train.csv", b"")],
        &["train"],
        &[
            "no train-*.parquet",
            "no parquet files: download one of its tables and give the path of that file (train.csv)",
        ],
    );
    let two: [(&str, &[u8]); 2] = [("cola/train-0.parquet", b""), ("sst2/train-0.parquet", b"")];
    check(&two, &["train"], &["several configurations (cola, sst2)"]);
}

#[test]
fn a_configuration_selects_its_folder() {
    let files: [(&str, &[u8]); 4] = [
        ("cola/train-00000-of-00001.parquet", b"cola"),
        ("mrpc/train-00000-of-00001.parquet", b"mrpc"),
        ("mrpc/validation-00000-of-00001.parquet", b"validation"),
        ("README.md", b""),
    ];
    let hub = TestHub::new(TestHubState::with("datasets/nyu-mll/glue", &files));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let fetch = |settings: &_, config, splits: &[&str]| {
        Hub::new(Clone::clone(settings)).dataset("nyu-mll/glue", "main", config, splits, &mut |_| {})
    };
    let folder = fetch(&settings, Some("mrpc"), &["train"]).unwrap();
    assert_eq!(fs::read(folder.join("train-00000-of-00001.parquet")).unwrap(), b"mrpc");
    for (config, splits, words) in [
        (None, vec!["train"], "several configurations (cola, mrpc); name one of them"),
        (Some("rte"), vec!["train"], "no configuration rte; it has cola, mrpc"),
        (Some("cola"), vec!["validation"], "no validation-*.parquet"),
    ] {
        assert_message(&fetch(&settings, config, &splits).unwrap_err(), &[words]);
    }
    assert_eq!(fetch(&offline(&settings), Some("mrpc"), &["train"]).unwrap(), folder);
    let error = fetch(&offline(&settings), Some("cola"), &["train"]).unwrap_err();
    assert_message(&error, &["the cache", "has no cola/*.parquet"]);
}
