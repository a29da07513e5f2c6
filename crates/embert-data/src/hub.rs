//! A model's or a data set's files from the Hugging Face hub, kept in the hub's own cache folder.
//!
//! The folder is laid out as `huggingface_hub` lays it out, so what one program downloaded the
//! other finds:
//!
//! ```text
//! {cache}/models--google-bert--bert-base-uncased/
//!     blobs/{etag}                         each file's bytes, once
//!     refs/main                            the commit that `main` meant when it was last fetched
//!     snapshots/{commit}/config.json       links to the blobs
//! ```
//!
//! A file gets its name under `blobs` only when its size, and its SHA-256 where the hub says it,
//! are right. A fetch asks for one listing and for the files that the snapshot lacks; when the hub
//! does not answer, a snapshot that is complete is used as it is.

mod cache;
mod client;
mod dataset;
mod download;
mod error;
mod model;
mod repo;
mod settings;
mod snapshot;

use std::path::PathBuf;

pub use error::HubError;
pub use settings::HubSettings;

use repo::Repo;
use snapshot::Snapshot;

/// How far the download of one file has come: told once at its start and after every piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HubProgress<'a> {
    /// Its name in the repository, such as `model.safetensors`.
    pub file: &'a str,
    /// Bytes on disk so far, those of an earlier try included.
    pub bytes_done: u64,
    /// Bytes of the whole file.
    pub bytes_total: u64,
}

/// Fetches what a BERT-family model needs and returns the folder that holds it.
///
/// These are `config.json`, `model.safetensors` (or `model.safetensors.index.json` and the shards
/// that it names), `tokenizer.json` or `vocab.txt` (both when both are there), and, when they are
/// there, `tokenizer_config.json` and `special_tokens_map.json`. `id` is `owner/name`; the short
/// names `bert-base-uncased` and `distilbert-base-uncased` are known, other single names are asked
/// for as they are. Proxies are those that `HTTPS_PROXY` and its like name: the HTTP client finds
/// them by itself.
///
/// # Errors
///
/// Every [`HubError`] but those of data sets: each is one line that says what to do.
pub fn fetch_model(
    settings: &HubSettings,
    id: &str,
    on_progress: &mut dyn FnMut(HubProgress<'_>),
) -> Result<PathBuf, HubError> {
    let snapshot = Snapshot::open(settings, Repo::model(id)?)?;
    model::bring(&snapshot, on_progress)
}

/// Fetches the parquet files of `splits` and returns the folder that holds them.
///
/// These are the files named `{split}-*.parquet` at the top of the repository or one folder down,
/// as in `plain_text/`; that folder is the one returned. `imdb` alone means `stanfordnlp/imdb`.
///
/// # Errors
///
/// Every [`HubError`] but those of models: each is one line that says what to do.
pub fn fetch_dataset(
    settings: &HubSettings,
    id: &str,
    splits: &[&str],
    on_progress: &mut dyn FnMut(HubProgress<'_>),
) -> Result<PathBuf, HubError> {
    let snapshot = Snapshot::open(settings, Repo::dataset(id)?)?;
    dataset::bring(&snapshot, splits, on_progress)
}
