//! Uploads: uploaded files, and errors.

use std::path::Path;

use embert_hub::{Hub, HubError, HubSettings, Upload};

use crate::server::{TestHub, TestHubState};
use crate::{assert_message, offline, settings};

const FILES: [(&str, &[u8]); 4] = [
    ("README.md", b"# A model"),
    ("config.json", b"{}"),
    ("model.safetensors", b"weights, as a large file"),
    ("optimizer.safetensors", b"not uploaded"),
];

const TEXTS: &[(&str, &str)] = &[("notes.txt", "a text")];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    FILES.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

fn upload<'a>(folder: &'a Path, repo: &'a str) -> Upload<'a> {
    let files = &["README.md", "config.json", "model.safetensors"];
    Upload {
        repo,
        folder,
        files,
        contents: TEXTS,
        private: true,
        revision: "main",
        commit_message: "Upload model",
    }
}

fn settings_with(hub: &TestHub, token: &str) -> HubSettings {
    HubSettings { token: Some(token.to_owned()), ..settings(&hub.endpoint, Path::new("unused")) }
}

fn uploaded(hub: &TestHub, upload: &Upload<'_>) -> Result<String, HubError> {
    Hub::new(settings_with(hub, "hf_right")).upload(upload)
}

#[test]
fn files_are_uploaded_to_a_private_repository() {
    let (folder, hub) =
        (folder(), TestHub::new(TestHubState { token: Some("hf_right"), ..TestHubState::default() }));
    let url = uploaded(&hub, &upload(folder.path(), "owner/name")).unwrap();
    assert_eq!(url, format!("{}/owner/name", hub.endpoint));
    let files = hub.state().repos["owner/name"].clone();
    let bytes = |(name, text): &(&str, &str)| ((*name).to_owned(), text.as_bytes().to_vec());
    let expected = FILES[..3].iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    let expected = expected.chain(TEXTS.iter().map(bytes));
    assert_eq!(files, expected.collect());
    assert_eq!(hub.state().created, [("owner/name".to_owned(), true)]);
    assert_eq!(hub.state().messages, ["main: Upload model"]);
}

#[test]
fn a_name_without_an_owner_belongs_to_the_user_of_the_token() {
    let (folder, hub) = (folder(), TestHub::new(TestHubState::default()));
    let url = uploaded(&hub, &upload(folder.path(), "name")).unwrap();
    assert_eq!(url, format!("{}/somebody/name", hub.endpoint));
}

#[test]
fn files_are_added_to_an_existing_repository_and_branch() {
    let (folder, hub) = (folder(), TestHub::new(TestHubState::with("owner/name", &[("old.txt", b"old")])));
    let branch = Upload { revision: "dev", private: false, ..upload(folder.path(), "owner/name") };
    for _ in 0..2 {
        let url = uploaded(&hub, &branch).unwrap();
        assert_eq!(url, format!("{}/owner/name/tree/dev", hub.endpoint));
    }
    assert_eq!(hub.state().repos["owner/name"].len(), 5);
    assert!(hub.state().created.iter().all(|(id, private)| id == "owner/name" && !private));
    assert_eq!(hub.state().messages, ["dev: Upload model"; 2]);
}

#[test]
fn a_temporary_failure_is_retried() {
    let (folder, hub) = (folder(), TestHub::new(TestHubState { fail_first: 2, ..TestHubState::default() }));
    uploaded(&hub, &upload(folder.path(), "owner/name")).unwrap();
}

#[test]
fn upload_errors_are_one_line() {
    let (folder, hub) =
        (folder(), TestHub::new(TestHubState { token: Some("hf_right"), ..TestHubState::default() }));
    let upload = upload(folder.path(), "owner/name");
    let without_token = settings(&hub.endpoint, Path::new("unused"));
    assert_message(
        &Hub::new(without_token.clone()).upload(&upload).unwrap_err(),
        &["without a token", "HF_TOKEN"],
    );
    let offline = offline(&without_token);
    assert_message(
        &Hub::new(offline).upload(&upload).unwrap_err(),
        &["cannot be uploaded", "HF_HUB_OFFLINE"],
    );
    assert_eq!(hub.requests(), [""; 0]);

    let error = Hub::new(settings_with(&hub, "hf_wrong")).upload(&upload).unwrap_err();
    assert_message(&error, &["rejects the upload of model owner/name (status 401", "write access"]);
    assert!(!error.to_string().contains("hf_wrong"));
    let missing = Upload { files: &["absent.json"], ..upload };
    assert_message(&uploaded(&hub, &missing).unwrap_err(), &["absent.json", "No such file"]);
    assert!(hub.state().repos.is_empty() || hub.state().repos["owner/name"].is_empty());
}
