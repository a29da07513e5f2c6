//! Tokens, unknown repositories, redirects, and servers that are not a Hub.

use std::io::Read;
use std::net::TcpListener;
use std::thread;

use embert_hub::{HubError, HubSettings};

use crate::server::{COMMIT, TestHub, TestHubState};
use crate::{assert_message, fetch_model, settings};

const FILES: [(&str, &[u8]); 3] =
    [("config.json", b"{}"), ("vocab.txt", b"[PAD]"), ("model.safetensors", b"weights")];

fn fetched(hub: &TestHub, id: &str, token: Option<&str>) -> Result<(), HubError> {
    let cache = tempfile::tempdir().unwrap();
    let token = token.map(str::to_owned);
    let settings = HubSettings { token, ..settings(&hub.endpoint, cache.path()) };
    fetch_model(&settings, id, &mut |_| {}).map(drop)
}

#[test]
fn a_token_is_required_rejected_or_accepted() {
    let hub =
        TestHub::new(TestHubState { token: Some("hf_right"), ..TestHubState::with("owner/name", &FILES) });
    let error = fetched(&hub, "owner/name", None).unwrap_err();
    let page = format!("{}/owner/name", hub.endpoint);
    assert_message(
        &error,
        &["requires a token", "401", "model owner/name", &page, "HF_TOKEN", "local folder"],
    );
    let error = fetched(&hub, "owner/name", Some("hf_wrong")).unwrap_err();
    assert_message(&error, &["rejects the token", "401", "model owner/name", "HF_TOKEN"]);
    assert!(!error.to_string().contains("hf_wrong"));
    fetched(&hub, "owner/name", Some("hf_right")).unwrap();
    assert!(hub.requests().len() > 2);
}

#[test]
fn a_token_with_invalid_characters_is_an_error() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    let error = fetched(&hub, "owner/name", Some("two\nlines")).unwrap_err();
    assert_message(&error, &["a character that is not allowed", "HF_TOKEN"]);
    assert_eq!(hub.requests(), [""; 0]);
}

#[test]
fn an_unknown_repository_is_named() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    let words = ["no model owner/nome", "spelling", "HF_TOKEN", "local folder"];
    assert_message(&fetched(&hub, "owner/nome", None).unwrap_err(), &words);
    assert_eq!(hub.requests().len(), 1);
    // Without a token, the Hub does not reveal whether a repository exists.
    hub.state().token = Some("hf_right");
    hub.state().hides_repos = true;
    assert_message(&fetched(&hub, "owner/nome", None).unwrap_err(), &words);
    assert_message(
        &fetched(&hub, "./folder", None).unwrap_err(),
        &["\"./folder\"", "neither a local folder"],
    );
}

// The test hub panics in its thread, and so does not respond, if the token is sent to another host.
#[test]
fn the_token_is_not_sent_to_the_storage_of_large_files() {
    let state = TestHubState::with("owner/name", &FILES);
    let hub = TestHub::new(TestHubState { redirects_files: true, token: Some("hf_right"), ..state });
    fetched(&hub, "owner/name", Some("hf_right")).unwrap();
}

#[test]
fn redirects_of_a_renamed_repository_are_followed() {
    // The test hub redirects `renamed/old` to `new`.
    let hub = TestHub::new(TestHubState::with("new", &FILES));
    fetched(&hub, "renamed/old", None).unwrap();
    assert!(hub.requests().contains(&format!("HEAD /new/resolve/{COMMIT}/config.json")));
}

#[test]
fn a_login_page_is_an_unexpected_response() {
    let hub = TestHub::new(TestHubState::with("owner/name", &FILES));
    hub.state().listing_response = Some("<html>Please log in</html>");
    assert_message(
        &fetched(&hub, "owner/name", None).unwrap_err(),
        &["not the response of a Hub", "HF_ENDPOINT"],
    );
}

#[test]
fn an_invalid_address_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let error =
        fetch_model(&settings("huggingface.co", cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    assert_message(&error, &["cannot send requests to the Hub at huggingface.co", "HF_ENDPOINT"]);
}

#[test]
fn https_speaks_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}", listener.local_addr().unwrap());
    let hello = thread::spawn(move || {
        let mut hello = [0; 3];
        listener.accept().unwrap().0.read_exact(&mut hello).unwrap();
        hello
    });
    let cache = tempfile::tempdir().unwrap();
    assert!(fetch_model(&settings(&endpoint, cache.path()), "owner/name", &mut |_| {}).is_err());
    // RFC 8446, 5.1: a record of type handshake (22), legacy version 3.x.
    assert_eq!(hello.join().unwrap()[..2], [22, 3]);
}
