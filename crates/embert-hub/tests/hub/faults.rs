//! Answers that fail, break off or lie: what passes is waited for, and no half file gets a name.

use std::fs;
use std::path::Path;

use embert_hub::HubError;

use crate::server::{Hub, Plan, sha256};
use crate::{fetch_model, offline, says, settings};

/// 100,000 bytes of which no two neighbourhoods are alike.
fn weights() -> Vec<u8> {
    (0..25_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn plan() -> Plan {
    let weights = weights();
    Plan::with(
        "owner/name",
        &[("config.json", b"{}"), ("vocab.txt", b"[PAD]"), ("model.safetensors", &weights)],
    )
}

fn fetched(hub: &Hub, cache: &Path) -> Result<Vec<u8>, HubError> {
    let folder = fetch_model(&settings(&hub.endpoint, cache), "owner/name", &mut |_| {})?;
    Ok(fs::read(folder.join("model.safetensors")).unwrap())
}

fn blobs(cache: &Path) -> std::path::PathBuf {
    cache.join("models--owner--name/blobs")
}

#[test]
fn a_hub_that_is_busy_for_a_moment_is_asked_again() {
    let hub = Hub::new(Plan { fail_first: 2, ..plan() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_hub_that_stays_busy_is_given_up() {
    let hub = Hub::new(Plan { fail_first: usize::MAX, ..plan() });
    let cache = tempfile::tempdir().unwrap();
    let error = fetched(&hub, cache.path()).unwrap_err();
    says(&error, &[&hub.endpoint, "503", "try again later", "local folder"]);
    assert_eq!(hub.requests().len(), 5);
}

#[test]
fn a_body_that_breaks_off_is_gone_on_with() {
    let hub = Hub::new(Plan { cut_after: Some(40_000), ..plan() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    let requests = hub.requests();
    assert!(requests.last().unwrap().ends_with("/model.safetensors 40000-99999"), "{requests:?}");
}

#[test]
fn a_body_that_breaks_off_is_fetched_again_where_there_are_no_ranges() {
    let hub = Hub::new(Plan { cut_after: Some(40_000), ignores_ranges: true, ..plan() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn what_a_killed_run_left_is_used() {
    let hub = Hub::new(plan());
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
fn what_a_killed_run_left_is_replaced_when_it_is_wrong() {
    let hub = Hub::new(plan());
    let cache = tempfile::tempdir().unwrap();
    fs::create_dir_all(blobs(cache.path())).unwrap();
    let part = blobs(cache.path()).join(format!("{}.part", sha256(&weights())));
    fs::write(&part, vec![0; 60_000]).unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_file_that_is_not_what_was_announced_gets_no_name() {
    let hub = Hub::new(Plan { lies: true, ..plan() });
    let cache = tempfile::tempdir().unwrap();
    let error = fetched(&hub, cache.path()).unwrap_err();
    says(&error, &["config.json", "sha256", &sha256(b"{}"), &sha256(b"something else")]);
    assert_eq!(fs::read_dir(blobs(cache.path())).unwrap().count(), 0);
    let error = fetch_model(&offline(&settings(&hub.endpoint, cache.path())), "owner/name", &mut |_| {});
    says(&error.unwrap_err(), &["has no file of it"]);
}

#[test]
fn a_blob_of_the_wrong_size_is_replaced() {
    let hub = Hub::new(plan());
    let cache = tempfile::tempdir().unwrap();
    fs::create_dir_all(blobs(cache.path())).unwrap();
    fs::write(blobs(cache.path()).join(sha256(&weights())), b"cut").unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
}

#[test]
fn a_complete_snapshot_serves_when_nobody_answers() {
    let hub = Hub::new(plan());
    let cache = tempfile::tempdir().unwrap();
    let folder = fetch_model(&settings(&hub.endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap();
    let nobody = settings(&nobody(), cache.path());
    assert_eq!(fetch_model(&nobody, "owner/name", &mut |_| {}).unwrap(), folder);
    hub.plan().fail_first = usize::MAX;
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    fs::remove_file(folder.join("model.safetensors")).unwrap();
    let error = fetch_model(&nobody, "owner/name", &mut |_| {}).unwrap_err();
    says(&error, &["has no model.safetensors", "does not answer"]);
}

/// What a proxy or a hub that is down may send in place of a file.
#[test]
fn a_page_never_becomes_a_blob() {
    const PAGE: &[u8] = b"<html>Service unavailable</html>";
    for (status, page, lacks_sums, words) in [
        (503, PAGE, false, "status 503"),
        (503, PAGE, true, "status 503"),
        (404, PAGE, true, "status 404"),
        (200, PAGE, false, "3 bytes instead of 2"),
        (200, PAGE, true, "3 bytes instead of 2"),
        (200, b"x", false, "sha256"), // it comes twice, until the size is right
        (200, b"x", true, "broke off at 1 of 2 bytes"),
    ] {
        let hub = Hub::new(Plan { page: Some((status, page)), lacks_sums, ..plan() });
        let cache = tempfile::tempdir().unwrap();
        says(&fetched(&hub, cache.path()).unwrap_err(), &[words]);
        let left = fs::read_dir(blobs(cache.path())).unwrap().map(|entry| entry.unwrap().path());
        let left = left.filter(|path| path.extension().is_none_or(|extension| extension != "part"));
        assert_eq!(left.count(), 0, "{status} {words}");
        assert!(!cache.path().join("models--owner--name/refs").exists());
    }
}

#[test]
fn a_file_without_a_sum_is_fetched_again_when_it_breaks_off() {
    let hub = Hub::new(Plan { cut_after: Some(40_000), lacks_sums: true, ..plan() });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetched(&hub, cache.path()).unwrap() == weights());
    let requests = hub.requests();
    assert!(requests.last().unwrap().ends_with("/model.safetensors"), "{requests:?}");
}

#[test]
fn a_hub_that_nobody_serves_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let endpoint = nobody();
    let error = fetch_model(&settings(&endpoint, cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    says(&error, &[&endpoint, "cannot reach the hub", "refused"]);
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
