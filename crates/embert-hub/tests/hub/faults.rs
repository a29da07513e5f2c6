//! Failed, interrupted and wrong responses: retries, resumed downloads, and no incomplete blobs.

use std::fs;
use std::path::Path;

use embert_hub::HubError;

use crate::server::{TestHub, TestHubState, sha256};
use crate::{assert_message, fetch_model, offline, settings};

/// Returns 100,000 bytes without repetitions.
fn weights() -> Vec<u8> {
    (0..25_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn state() -> TestHubState {
    let weights = weights();
    TestHubState::with(
        "owner/name",
        &[("config.json", b"{}"), ("vocab.txt", b"[PAD]"), ("model.safetensors", &weights)],
    )
}

fn fetched(hub: &TestHub, cache: &Path) -> Result<Vec<u8>, HubError> {
    let folder = fetch_model(&settings(&hub.endpoint, cache), "owner/name", &mut |_| {})?;
    Ok(fs::read(folder.join("model.safetensors")).unwrap())
}

fn blobs(cache: &Path) -> std::path::PathBuf {
    cache.join("models--owner--name/blobs")
}

#[test]
fn a_temporary_failure_is_retried() {
    let hub = TestHub::new(TestHubState { fail_first: 2, ..state() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_permanent_failure_is_reported_after_the_retries() {
    let hub = TestHub::new(TestHubState { fail_first: usize::MAX, ..state() });
    let cache = tempfile::tempdir().unwrap();
    let error = fetched(&hub, cache.path()).unwrap_err();
    assert_message(&error, &[&hub.endpoint, "503", "try again later", "local folder"]);
    assert_eq!(hub.requests().len(), 5);
}

#[test]
fn an_interrupted_download_is_resumed() {
    let hub = TestHub::new(TestHubState { truncate_after: Some(40_000), ..state() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    let requests = hub.requests();
    assert!(requests.last().unwrap().ends_with("/model.safetensors 40000-99999"), "{requests:?}");
}

#[test]
fn an_interrupted_download_is_restarted_without_range_support() {
    let hub = TestHub::new(TestHubState { truncate_after: Some(40_000), ignores_ranges: true, ..state() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn the_partial_file_of_a_killed_run_is_resumed() {
    let hub = TestHub::new(state());
    let cache = tempfile::tempdir().unwrap();
    let part = blobs(cache.path()).join(format!("{}.part", sha256(&weights())));
    fs::create_dir_all(blobs(cache.path())).unwrap();
    for left in [60_000, 100_000] {
        fs::write(&part, &weights()[..left]).unwrap();
        assert!(fetched(&hub, cache.path()).unwrap() == weights());
        assert!(!part.exists());
        let resumed = hub.requests().iter().any(|request| request.ends_with(" 60000-99999"));
        assert_eq!(resumed, left == 60_000);
        fs::remove_dir_all(cache.path().join("models--owner--name/snapshots")).unwrap();
        fs::remove_file(blobs(cache.path()).join(sha256(&weights()))).unwrap();
    }
}

#[test]
fn a_wrong_partial_file_is_replaced() {
    let hub = TestHub::new(state());
    let cache = tempfile::tempdir().unwrap();
    fs::create_dir_all(blobs(cache.path())).unwrap();
    let part = blobs(cache.path()).join(format!("{}.part", sha256(&weights())));
    fs::write(&part, vec![0; 60_000]).unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_file_with_a_wrong_digest_does_not_become_a_blob() {
    let hub = TestHub::new(TestHubState { sends_wrong_digests: true, ..state() });
    let cache = tempfile::tempdir().unwrap();
    let error = fetched(&hub, cache.path()).unwrap_err();
    assert_message(&error, &["config.json", "sha256", &sha256(b"{}"), &sha256(b"something else")]);
    assert_eq!(fs::read_dir(blobs(cache.path())).unwrap().count(), 0);
    let error = fetch_model(&offline(&settings(&hub.endpoint, cache.path())), "owner/name", &mut |_| {});
    assert_message(&error.unwrap_err(), &["has no files of this repository"]);
}

#[test]
fn a_blob_of_the_wrong_size_is_replaced() {
    let hub = TestHub::new(state());
    let cache = tempfile::tempdir().unwrap();
    fs::create_dir_all(blobs(cache.path())).unwrap();
    fs::write(blobs(cache.path()).join(sha256(&weights())), b"cut").unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_complete_snapshot_is_used_when_the_hub_is_down() {
    let hub = TestHub::new(state());
    let cache = tempfile::tempdir().unwrap();
    let folder = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap();
    let unreachable = settings(&unused_address(), cache.path());
    assert_eq!(fetch_model(&unreachable, "owner/name", &mut |_| {}).unwrap(), folder);
    hub.state().fail_first = usize::MAX;
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    let error = fetch_model(&unreachable, "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &["has no model.safetensors", "does not respond"]);
}

/// A proxy, or a Hub that is down, may send a page instead of a file.
#[test]
fn an_error_page_does_not_become_a_blob() {
    const PAGE: &[u8] = b"<html>Service unavailable</html>";
    for (status, page, sends_no_digests, words) in [
        (503, PAGE, false, "status 503"),
        (503, PAGE, true, "status 503"),
        (404, PAGE, true, "status 404"),
        (200, PAGE, false, "3 bytes instead of 2"),
        (200, PAGE, true, "3 bytes instead of 2"),
        (200, b"x", false, "sha256"), // the second request completes the size
        (200, b"x", true, "interrupted after 1 of 2 bytes"),
    ] {
        let hub =
            TestHub::new(TestHubState { file_response: Some((status, page)), sends_no_digests, ..state() });
        let cache = tempfile::tempdir().unwrap();
        assert_message(&fetched(&hub, cache.path()).unwrap_err(), &[words]);
        let left = fs::read_dir(blobs(cache.path())).unwrap().map(|entry| entry.unwrap().path());
        let left = left.filter(|path| path.extension().is_none_or(|extension| extension != "part"));
        assert_eq!(left.count(), 0, "{status} {words}");
        assert!(!cache.path().join("models--owner--name/refs").exists());
    }
}

#[test]
fn an_interrupted_file_without_a_digest_is_restarted() {
    let hub = TestHub::new(TestHubState { truncate_after: Some(40_000), sends_no_digests: true, ..state() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    let requests = hub.requests();
    assert!(requests.last().unwrap().ends_with("/model.safetensors"), "{requests:?}");
}

#[test]
fn the_error_for_an_unreachable_hub_names_the_address() {
    let cache = tempfile::tempdir().unwrap();
    let endpoint = unused_address();
    let error = fetch_model(&settings(&endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &[&endpoint, "cannot reach the Hub", "refused"]);
}

/// Returns an address without a server.
fn unused_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
