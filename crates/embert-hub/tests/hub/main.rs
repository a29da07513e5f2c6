//! Tests against a local test hub that can simulate network faults.

mod dataset;
mod faults;
mod model;
mod refusals;
mod server;
mod upload;

use std::path::{Path, PathBuf};

use embert_hub::{Hub, HubError, HubProgress, HubSettings};

/// Returns settings for a hub and a cache folder, without a token.
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
    Hub::new(settings.clone()).dataset(id, "main", None, splits, on_progress)
}

/// Returns the same settings in offline mode.
fn offline(settings: &HubSettings) -> HubSettings {
    HubSettings { offline: true, ..settings.clone() }
}

/// Asserts that an error is one line and contains these words.
fn assert_message(error: &dyn std::error::Error, words: &[&str]) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    for word in words {
        assert!(message.contains(word), "no {word:?} in: {message}");
    }
}
