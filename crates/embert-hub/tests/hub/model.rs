//! Downloads of models: selected files, cache layout, and offline mode.

use std::collections::BTreeSet;
use std::fs;

use embert_hub::{Hub, HubSettings};

use crate::server::{COMMIT, TestHub, TestHubState, sha256};
use crate::{assert_message, fetch_model, offline, settings};

const FILES: [(&str, &[u8]); 8] = [
    ("README.md", b"not wanted"),
    ("config.json", b"{}"),
    ("model.safetensors", b"weights"),
    ("pytorch_model.bin", b"not wanted either"),
    ("special_tokens_map.json", b"{\"a\": 1}"),
    ("tokenizer.json", b"{\"b\": 2}"),
    ("tokenizer_config.json", b"{\"c\": 3}"),
    ("vocab.txt", b"[PAD]"),
];

fn names(folder: &std::path::Path) -> BTreeSet<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    fs::read_dir(folder).unwrap().map(name).collect()
}

/// Asserts that these files of a repository are downloaded, but not the others, and that they can be opened offline.
#[track_caller]
fn assert_downloads(files: &[(&str, &[u8])], others: &[(&str, &[u8])]) {
    let hub = TestHub::new(TestHubState::with("owner/name", &[files, others].concat()));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let folder = fetch_model(&settings, "owner/name", &mut |_| {}).unwrap();
    assert_eq!(names(&folder), files.iter().map(|(name, _)| (*name).to_owned()).collect());
    let again = fetch_model(&offline(&settings), "owner/name", &mut |_| panic!("nothing to download"));
    assert_eq!(again.unwrap(), folder);
}

#[test]
fn the_cache_layout_is_that_of_huggingface_hub_and_works_offline() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());

    let folder = fetch_model(&settings, "owner/name", &mut |_| {}).unwrap();
    let repo = cache.path().join("models--owner--name");
    assert_eq!(folder, repo.join("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(repo.join("refs/main")).unwrap(), COMMIT);
    let wanted = FILES.iter().filter(|(_, bytes)| !bytes.starts_with(b"not"));
    assert_eq!(names(&folder), wanted.clone().map(|(name, _)| (*name).to_owned()).collect());
    assert_eq!(names(&repo.join("blobs")), wanted.clone().map(|(_, bytes)| sha256(bytes)).collect());
    for (name, bytes) in wanted {
        assert_eq!(fs::read(folder.join(name)).unwrap(), *bytes);
    }
    // One file list. For each of six files: HEAD, and HEAD and GET of hf-hub.
    assert_eq!(hub.requests().len(), 1 + 3 * 6);

    let again = fetch_model(&offline(&settings), "owner/name", &mut |_| panic!("nothing to download"));
    assert_eq!(again.unwrap(), folder);
    assert_eq!(hub.requests(), [""; 0]);

    fetch_model(&settings, "owner/name", &mut |_| panic!("nothing to download")).unwrap();
    assert_eq!(hub.requests(), ["GET /api/models/owner/name/revision/main"]);
}

#[test]
fn without_a_complete_tokenizer_the_files_of_a_vocabulary_are_downloaded() {
    for vocabulary in [vec!["vocab.json", "merges.txt"], vec!["sentencepiece.bpe.model"], vec!["spm.model"]] {
        let model = [("config.json", b"{}".as_slice()), ("model.safetensors", b"weights")];
        let files = model.into_iter().chain(vocabulary.iter().map(|name| (*name, b"a".as_slice())));
        let hub = TestHub::new(TestHubState::with("owner/name", &files.clone().collect::<Vec<_>>()));
        let cache = tempfile::tempdir().unwrap();
        let folder = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap();
        assert_eq!(names(&folder), files.map(|(name, _)| name.to_owned()).collect());
    }
}

#[test]
fn an_adapter_is_downloaded_without_a_base_model() {
    let adapter: &[(&str, &[u8])] = &[("adapter_config.json", b"{}"), ("adapter_model.safetensors", b"a")];
    let old: &[(&str, &[u8])] = &[("adapter_config.json", b"{}"), ("adapter_model.bin", b"a")];
    let with_tokenizer: &[(&str, &[u8])] =
        &[("model_config.json", b"{}"), ("tokenizer.json", b"{}"), ("recipe.toml", b"")];
    for files in [adapter.to_vec(), old.to_vec(), [adapter, with_tokenizer].concat()] {
        let others: &[(&str, &[u8])] =
            &[("model.safetensors", b"not wanted"), ("training_args.bin", b"not wanted")];
        assert_downloads(&files, others);
    }
    let hub = TestHub::new(TestHubState::with("owner/name", &[("adapter_config.json", b"{}")]));
    let cache = tempfile::tempdir().unwrap();
    let error = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &["model owner/name has no adapter_model.safetensors or adapter_model.bin"]);
}

#[test]
fn progress_goes_from_zero_to_the_size_of_the_file() {
    let weights = vec![7; 300_000];
    let files: [(&str, &[u8]); 3] =
        [("config.json", b"{}"), ("vocab.txt", b""), ("model.safetensors", &weights)];
    let hub = TestHub::new(TestHubState::with("owner/name", &files));
    let cache = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let mut record = |progress: embert_hub::HubProgress<'_>| {
        if progress.file == "model.safetensors" {
            assert_eq!(progress.bytes_total, 300_000);
            seen.push(progress.bytes_done);
        }
    };
    fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut record).unwrap();
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    assert_eq!((seen.first(), seen.last()), (Some(&0), Some(&300_000)));
}

#[test]
fn a_sharded_model_includes_its_shards() {
    let index = br#"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}}"#;
    let files: [(&str, &[u8]); 6] = [
        ("config.json", b"{}"),
        ("tokenizer.json", b"{}"),
        ("model.safetensors.index.json", index),
        ("model-1.safetensors", b"one"),
        ("model-2.safetensors", b"two"),
        ("model-3.safetensors", b"not in the index"),
    ];
    let hub = TestHub::new(TestHubState::with("owner/name", &files));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let folder = fetch_model(&settings, "owner/name", &mut |_| {}).unwrap();
    assert_eq!(fs::read(folder.join("model-2.safetensors")).unwrap(), b"two");
    assert!(!folder.join("model-3.safetensors").exists());

    fs::remove_file(folder.join("model-2.safetensors")).unwrap();
    let error = fetch_model(&offline(&settings), "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &["model owner/name: the cache", "has no model-2.safetensors"]);
}

#[test]
fn an_index_with_a_path_outside_the_repository_is_refused() {
    let index = br#"{"weight_map": {"a": "../../../secret"}}"#;
    let files: [(&str, &[u8]); 3] =
        [("config.json", b"{}"), ("vocab.txt", b""), ("model.safetensors.index.json", index)];
    let hub = TestHub::new(TestHubState::with("owner/name", &files));
    let cache = tempfile::tempdir().unwrap();
    let error = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &["model owner/name has no ../../../secret"]);
}

#[test]
fn pytorch_weights_are_downloaded_if_there_is_no_safetensors() {
    let index = br#"{"weight_map": {"a": "pytorch_model-1.bin", "b": "pytorch_model-2.bin"}}"#;
    let single: &[(&str, &[u8])] = &[("pytorch_model.bin", b"one")];
    let sharded: &[(&str, &[u8])] = &[
        ("pytorch_model.bin.index.json", index),
        ("pytorch_model-1.bin", b"one"),
        ("pytorch_model-2.bin", b"two"),
    ];
    for weights in [single, sharded] {
        let files = [&[("config.json", b"{}".as_slice()), ("vocab.txt", b"")], weights].concat();
        assert_downloads(&files, &[]);
    }
}

#[test]
fn an_index_of_safetensors_is_preferred_to_pytorch_weights() {
    let files: [(&str, &[u8]); 5] = [
        ("config.json", b"{}"),
        ("vocab.txt", b""),
        ("model.safetensors.index.json", br#"{"weight_map": {"a": "model-1.safetensors"}}"#),
        ("model-1.safetensors", b"one"),
        ("pytorch_model.bin", b"not wanted"),
    ];
    let hub = TestHub::new(TestHubState::with("owner/name", &files));
    let cache = tempfile::tempdir().unwrap();
    let folder = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap();
    assert!(folder.join("model-1.safetensors").exists());
    assert!(!folder.join("pytorch_model.bin").exists());
}

#[test]
fn missing_files_are_reported_before_any_download() {
    for lacking in ["config.json", "model.safetensors", "tokenizer.json"] {
        let mut files = FILES.to_vec();
        files.retain(|(name, _)| ![lacking, "vocab.txt", "pytorch_model.bin"].contains(name));
        let hub = TestHub::new(TestHubState::with("owner/name", &files));
        let cache = tempfile::tempdir().unwrap();
        let error =
            fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap_err();
        assert_message(&error, &["model owner/name has no", lacking]);
        assert_eq!(hub.requests().len(), 1);
    }
}

#[test]
fn the_offline_error_names_the_missing_file_and_the_cache() {
    let cache = tempfile::tempdir().unwrap();
    let offline = HubSettings { offline: true, ..settings("http://127.0.0.1:1", cache.path()) };
    let error = fetch_model(&offline, "bert-base-uncased", &mut |_| {}).unwrap_err();
    let folder = cache.path().join("models--google-bert--bert-base-uncased");
    assert_message(
        &error,
        &["model google-bert/bert-base-uncased", folder.to_str().unwrap(), "HF_HUB_OFFLINE", "local folder"],
    );
}

/// transformers caches `bert-base-uncased` in `models--bert-base-uncased`.
#[test]
fn without_the_hub_the_folder_of_a_short_id_is_read_if_the_other_has_no_files() {
    const FULL: &str = "google-bert/bert-base-uncased";
    let hub = TestHub::new(TestHubState::with(FULL, &FILES));
    let cache = tempfile::tempdir().unwrap();
    let online = settings(&hub.endpoint, cache.path());
    fetch_model(&online, FULL, &mut |_| {}).unwrap();
    let [full, short] = ["google-bert--bert-base-uncased", "bert-base-uncased"]
        .map(|name| cache.path().join(format!("models--{name}")));
    let snapshot = |repo: &std::path::Path| repo.join("snapshots").join(COMMIT);
    let refused = settings("http://127.0.0.1:1", cache.path());
    let check = |id: &str, expected: Option<&std::path::Path>| {
        for settings in [&offline(&online), &refused] {
            for revision in ["main", COMMIT] {
                let found =
                    Hub::new(settings.clone()).model(id, revision, &mut |_| panic!("no download")).ok();
                assert_eq!(found, expected.map(snapshot), "{id} {revision}");
            }
        }
    };
    check("bert-base-uncased", Some(&full));
    fs::rename(&full, &short).unwrap();
    check("bert-base-uncased", Some(&short));
    check(FULL, None);
    fs::create_dir_all(full.join("blobs")).unwrap();
    check("bert-base-uncased", Some(&short));
    fetch_model(&online, "bert-base-uncased", &mut |_| {}).unwrap();
    check("bert-base-uncased", Some(&full));
}

#[test]
fn revisions_are_cached_separately() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let model = |settings: &HubSettings, revision: &str| {
        Hub::new(settings.clone()).model("owner/name", revision, &mut |_| {})
    };
    let folder = model(&settings, "v1.0").unwrap();
    assert_eq!(hub.requests()[0], "GET /api/models/owner/name/revision/v1.0");
    assert!(cache.path().join("models--owner--name/refs/v1.0").is_file());
    for revision in ["v1.0", COMMIT] {
        assert_eq!(model(&offline(&settings), revision).unwrap(), folder);
    }
    assert_message(&model(&offline(&settings), "main").unwrap_err(), &["has no files of this repository"]);
    assert_message(&model(&settings, "../main").unwrap_err(), &["no such revision"]);
}

#[test]
fn a_broken_link_is_replaced() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    let cache = tempfile::tempdir().unwrap();
    let settings = settings(&hub.endpoint, cache.path());
    let folder = fetch_model(&settings, "owner/name", &mut |_| {}).unwrap();
    fs::remove_dir_all(cache.path().join("models--owner--name/blobs")).unwrap();
    assert!(fetch_model(&offline(&settings), "owner/name", &mut |_| {}).is_err());
    fetch_model(&settings, "owner/name", &mut |_| {}).unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), b"weights");
}
