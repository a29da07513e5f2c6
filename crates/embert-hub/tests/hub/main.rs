//! The hub's files against a small hub of the tests' own, with every fault that a network has.

mod dataset;
mod faults;
mod model;
mod refusals;
mod server;
mod upload;

use std::path::{Path, PathBuf};

use embert_hub::{Hub, HubError, HubProgress, HubSettings};

/// Settings for a cache folder and a hub, without a token.
fn settings(endpoint: &str, cache: &Path) -> HubSettings {
    HubSettings { endpoint: endpoint.to_owned(), cache: cache.to_owned(), token: None, offline: false }
}

fn fetch_model(
    settings: &HubSettings,
    id: &str,
    on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
) -> Result<PathBuf, HubError> {
    Hub::new(settings.clone()).model(id, "main", on_progress)
}

fn fetch_dataset(
    settings: &HubSettings,
    id: &str,
    splits: &[&str],
    on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
) -> Result<PathBuf, HubError> {
    Hub::new(settings.clone()).dataset(id, "main", splits, on_progress)
}

/// The same, but no request may be made.
fn offline(settings: &HubSettings) -> HubSettings {
    HubSettings { offline: true, ..settings.clone() }
}

/// That an error is one line and says each of these.
fn says(error: &dyn std::error::Error, words: &[&str]) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}
