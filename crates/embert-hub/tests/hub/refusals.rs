//! Tokens, names that the hub does not know, redirects, and servers that are no hub.

use std::io::Read;
use std::net::TcpListener;
use std::thread;

use embert_hub::{HubError, HubSettings};

use crate::server::{COMMIT, Hub, Plan};
use crate::{fetch_model, says, settings};

const FILES: [(&str, &[u8]); 3] =
    [("config.json", b"{}"), ("vocab.txt", b"[PAD]"), ("model.safetensors", b"weights")];

fn fetched(hub: &Hub, id: &str, token: Option<&str>) -> Result<(), HubError> {
    let cache = tempfile::tempdir().unwrap();
    let token = token.map(str::to_owned);
    let settings = HubSettings { token, ..settings(&hub.endpoint, cache.path()) };
    fetch_model(&settings, id, &mut |_| {}).map(drop)
}

#[test]
fn a_token_is_asked_for_refused_or_used() {
    let hub = Hub::new(Plan { token: Some("hf_right"), ..Plan::with("owner/name", &FILES) });
    let error = fetched(&hub, "owner/name", None).unwrap_err();
    let page = format!("{}/owner/name", hub.endpoint);
    says(&error, &["wants a token", "401", "model owner/name", &page, "HF_TOKEN", "local folder"]);
    let error = fetched(&hub, "owner/name", Some("hf_wrong")).unwrap_err();
    says(&error, &["refuses the token", "401", "model owner/name", "HF_TOKEN"]);
    assert!(!error.to_string().contains("hf_wrong"));
    fetched(&hub, "owner/name", Some("hf_right")).unwrap();
    assert!(hub.requests().len() > 2);
}

#[test]
fn a_token_that_cannot_be_sent_is_an_error() {
    let hub = Hub::new(Plan::with("owner/name", &FILES));
    let error = fetched(&hub, "owner/name", Some("two\nlines")).unwrap_err();
    says(&error, &["a character that cannot be sent", "HF_TOKEN"]);
    assert_eq!(hub.requests(), [""; 0]);
}

#[test]
fn a_repository_that_is_not_there_is_named() {
    let hub = Hub::new(Plan::with("owner/name", &FILES));
    let words = ["no model owner/nome", "spelling", "HF_TOKEN", "local folder"];
    says(&fetched(&hub, "owner/nome", None).unwrap_err(), &words);
    assert_eq!(hub.requests().len(), 1);
    // Without a token the hub does not say whether a repository exists.
    hub.plan().token = Some("hf_right");
    hub.plan().hidden = true;
    says(&fetched(&hub, "owner/nome", None).unwrap_err(), &words);
    says(&fetched(&hub, "./folder", None).unwrap_err(), &["\"./folder\"", "neither a folder"]);
}

// The hub of these tests panics in its thread, and so answers nothing, when the token is sent to another host.
#[test]
fn large_files_come_from_elsewhere_without_the_token() {
    let plan = Plan::with("owner/name", &FILES);
    let hub = Hub::new(Plan { sends_elsewhere: true, token: Some("hf_right"), ..plan });
    fetched(&hub, "owner/name", Some("hf_right")).unwrap();
}

#[test]
fn a_renamed_repository_is_followed() {
    // `renamed/old` is sent on to `new`.
    let hub = Hub::new(Plan::with("new", &FILES));
    fetched(&hub, "renamed/old", None).unwrap();
    assert!(hub.requests().contains(&format!("HEAD /new/resolve/{COMMIT}/config.json")));
}

#[test]
fn a_login_page_is_no_hub() {
    let hub = Hub::new(Plan::with("owner/name", &FILES));
    hub.plan().listing = Some("<html>Please log in</html>");
    says(&fetched(&hub, "owner/name", None).unwrap_err(), &["not a hub's answer", "HF_ENDPOINT"]);
}

#[test]
fn an_address_that_is_none_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let error =
        fetch_model(&settings("huggingface.co", cache.path()), "owner/name", &mut |_| {}).unwrap_err();
    says(&error, &["huggingface.co cannot be asked", "HF_ENDPOINT"]);
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
