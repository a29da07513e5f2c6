//! Opens a model by its id from an offline cache of the hub.
#![cfg(feature = "hub")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use embert::{Device, Encoder, Pooling};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Writes a cache with embert-model's tiny BERT as `owner/tiny`.
fn write_cache(home: &Path) {
    let repo = home.join("hub/models--owner--tiny");
    let snapshot = repo.join("snapshots").join(COMMIT);
    for folder in [&snapshot, &repo.join("refs")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(repo.join("refs/main"), COMMIT).unwrap();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let model = crates.join("embert-model/tests/fixtures/tiny_bert");
    let vocabulary = crates.join("embert-inference/tests/fixtures/vocab.txt");
    for file in [model.join("config.json"), model.join("model.safetensors"), vocabulary] {
        fs::copy(&file, snapshot.join(file.file_name().unwrap())).unwrap();
    }
}

/// Runs a test of this file in a process with the variables of an offline cache.
fn run_offline(test: &str, home: &Path) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env("HF_HUB_OFFLINE", "1").env("HF_HOME", home).env_remove("HF_HUB_CACHE");
    command.output().unwrap()
}

#[test]
fn an_id_opens_from_an_offline_cache() {
    let home = tempfile::tempdir().unwrap();
    write_cache(home.path());
    let output = run_offline("opens_owner_tiny", home.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let output = run_offline("opens_owner_tiny", &home.path().join("empty"));
    assert!(!output.status.success());
    let message =
        [&output.stderr, &output.stdout].map(|text| String::from_utf8_lossy(text).into_owned()).concat();
    assert!(message.contains("owner/tiny") && message.contains("cache"), "{message}");
}

#[test]
#[ignore = "the test above runs it with an offline cache"]
fn opens_owner_tiny() {
    let encoder = Encoder::open("owner/tiny", &Device::cpu()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(encoder.embed(&["good"], Pooling::Cls).unwrap()[0].len(), 32);
}
