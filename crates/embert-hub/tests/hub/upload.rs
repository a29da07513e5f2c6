//! Uploads: what the hub has afterwards, and what it refuses.

use std::path::Path;

use embert_hub::{Hub as Client, HubError, HubSettings, Upload};

use crate::server::{Hub, Plan};
use crate::{offline, says, settings};

const FILES: [(&str, &[u8]); 4] = [
    ("README.md", b"# A model"),
    ("config.json", b"{}"),
    ("model.safetensors", b"weights, as a large file"),
    ("optimizer.safetensors", b"not wanted"),
];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    FILES.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

fn upload<'a>(folder: &'a Path, repo: &'a str) -> Upload<'a> {
    let files = &["README.md", "config.json", "model.safetensors"];
    Upload { repo, folder, files, private: true, revision: "main", commit_message: "Upload model" }
}

fn settings_with(hub: &Hub, token: &str) -> HubSettings {
    HubSettings { token: Some(token.to_owned()), ..settings(&hub.endpoint, Path::new("unused")) }
}

fn uploaded(hub: &Hub, upload: &Upload<'_>) -> Result<String, HubError> {
    Client::new(settings_with(hub, "hf_right")).upload(upload)
}

#[test]
fn files_are_uploaded_to_a_private_repository_and_downloaded_again() {
    let (folder, hub) = (folder(), Hub::new(Plan { token: Some("hf_right"), ..Plan::default() }));
    let url = uploaded(&hub, &upload(folder.path(), "owner/name")).unwrap();
    assert_eq!(url, format!("{}/owner/name", hub.endpoint));
    let files = hub.plan().repos["owner/name"].clone();
    let expected = FILES[..3].iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    assert_eq!(files, expected.collect());
    assert_eq!(hub.plan().created, [("owner/name".to_owned(), true)]);
    assert_eq!(hub.plan().messages, ["main: Upload model"]);
}

#[test]
fn a_name_alone_belongs_to_the_user_of_the_token() {
    let (folder, hub) = (folder(), Hub::new(Plan::default()));
    let url = uploaded(&hub, &upload(folder.path(), "name")).unwrap();
    assert_eq!(url, format!("{}/somebody/name", hub.endpoint));
}

#[test]
fn a_repository_or_branch_that_exists_is_added_to() {
    let (folder, hub) = (folder(), Hub::new(Plan::with("owner/name", &[("old.txt", b"old")])));
    let branch = Upload { revision: "dev", private: false, ..upload(folder.path(), "owner/name") };
    for _ in 0..2 {
        let url = uploaded(&hub, &branch).unwrap();
        assert_eq!(url, format!("{}/owner/name/tree/dev", hub.endpoint));
    }
    assert_eq!(hub.plan().repos["owner/name"].len(), 4);
    assert!(hub.plan().created.iter().all(|(id, private)| id == "owner/name" && !private));
    assert_eq!(hub.plan().messages, ["dev: Upload model"; 2]);
}

#[test]
fn a_hub_that_is_busy_for_a_moment_is_asked_again() {
    let (folder, hub) = (folder(), Hub::new(Plan { fail_first: 2, ..Plan::default() }));
    uploaded(&hub, &upload(folder.path(), "owner/name")).unwrap();
}

#[test]
fn an_upload_that_cannot_be_is_one_line() {
    let (folder, hub) = (folder(), Hub::new(Plan { token: Some("hf_right"), ..Plan::default() }));
    let upload = upload(folder.path(), "owner/name");
    let without_token = settings(&hub.endpoint, Path::new("unused"));
    says(&Client::new(without_token.clone()).upload(&upload).unwrap_err(), &["without a token", "HF_TOKEN"]);
    let offline = offline(&without_token);
    says(&Client::new(offline).upload(&upload).unwrap_err(), &["cannot be uploaded", "HF_HUB_OFFLINE"]);
    assert_eq!(hub.requests(), [""; 0]);

    let error = Client::new(settings_with(&hub, "hf_wrong")).upload(&upload).unwrap_err();
    says(&error, &["refuses the upload of model owner/name (status 401", "may write"]);
    assert!(!error.to_string().contains("hf_wrong"));
    let missing = Upload { files: &["absent.json"], ..upload };
    says(&uploaded(&hub, &missing).unwrap_err(), &["absent.json", "No such file"]);
    assert!(hub.plan().repos.is_empty() || hub.plan().repos["owner/name"].is_empty());
}
