//! Tokens and passwords are sent only to the hub, and are neither stored nor printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::server::{TestHub, TestHubState};
use crate::succeeds;

const TOKEN: &str = "hf_aVerySecretToken";
const PASSWORD: &str = "aVerySecretPassword";
/// `printf 'user:aVerySecretPassword' | base64`
const PASSWORD_SENT: &str = "dXNlcjphVmVyeVNlY3JldFBhc3N3b3Jk";

/// Returns a hub with a small trained model.
fn hub(folder: &Path) -> TestHub {
    succeeds(
        folder,
        "train --recipe quickstart --vocab_size 300 --hidden_size 32 --num_hidden_layers 1 --intermediate_size 32 \
         --synthetic_reviews 100 --num_train_epochs 1 --output_dir seed",
    );
    let names = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt", "tokenizer_config.json"];
    let files = names.map(|name| (name, fs::read(folder.join("seed").join(name)).unwrap()));
    let files = files.each_ref().map(|(name, bytes)| (*name, bytes.as_slice()));
    TestHub::new(TestHubState { redirects_files: true, ..TestHubState::with("owner/name", &files) })
}

/// Runs `embert` with this hub, this token and all trace events.
fn run(folder: &Path, endpoint: &str, token: Option<&str>, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embert"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command.env("HF_HOME", folder.join("hf_home")).env("HF_ENDPOINT", endpoint).env("RUST_LOG", "trace");
    match token {
        Some(token) => command.env("HF_TOKEN", token),
        None => command.env_remove("HF_TOKEN"),
    };
    command.output().unwrap()
}

/// Returns the files below a folder and the streams that contain a secret.
fn places(folder: &Path, output: &Output, secret: &str) -> Vec<String> {
    let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    let mut found = vec![];
    found.extend(has(&output.stdout).then(|| "standard output".to_owned()));
    found.extend(has(&output.stderr).then(|| "standard error".to_owned()));
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path)
            } else {
                found.extend(has(&fs::read(&path).unwrap()).then(|| path.display().to_string()))
            }
        }
    }
    found
}

const TRAIN: &str = "train --model owner/name --dataset synthetic --synthetic_reviews 100 --max_seq_length 96 \
                     --num_train_epochs 1 --save_strategy epoch --output_dir run";

// The test hub redirects large files to another host, which refuses requests with the token.
#[test]
fn a_token_is_used_but_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path());
    hub.state().token = Some(TOKEN);
    let output = run(folder.path(), &hub.endpoint, Some(TOKEN), TRAIN);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!hub.requests().is_empty() && folder.path().join("run/README.md").is_file());
    assert!(String::from_utf8_lossy(&output.stderr).contains("DEBUG"), "no trace events");
    assert_eq!(places(folder.path(), &output, TOKEN), [""; 0]);
}

#[test]
fn a_refused_token_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path());
    hub.state().token = Some("hf_another");
    let output = run(folder.path(), &hub.endpoint, Some(TOKEN), TRAIN);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && message.contains("401"), "{message}");
    assert_eq!(places(folder.path(), &output, TOKEN), [""; 0]);
}

#[test]
fn a_password_in_the_endpoint_is_used_but_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path());
    let endpoint = hub.endpoint.replace("://", &format!("://user:{PASSWORD}@"));
    let output = run(folder.path(), &endpoint, None, TRAIN);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for secret in [PASSWORD, PASSWORD_SENT] {
        assert_eq!(places(folder.path(), &output, secret), [""; 0]);
    }
    assert_eq!(hub.state().authorizations, [format!("Basic {PASSWORD_SENT}")].into());

    let unreachable = format!("http://user:{PASSWORD}@127.0.0.1:9");
    for arguments in ["predict --model other/name good", "predict --model owner/absent good"] {
        for endpoint in [&unreachable, &endpoint] {
            let output = run(folder.path(), endpoint, None, arguments);
            assert_eq!(output.status.code(), Some(1));
            assert_eq!(places(folder.path(), &output, PASSWORD), [""; 0], "{output:?}");
        }
    }
}
