//! The Hub: downloads of models and data sets, uploads of models.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread;

use crate::error::HubError;
use crate::progress::HubProgress;
use crate::repo::Repo;
use crate::settings::HubSettings;
use crate::snapshot::Snapshot;
use crate::upload::{self, Upload};
use crate::{dataset, model};

/// A Hub and the cache of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    settings: HubSettings,
}

impl Hub {
    /// The Hub of these settings; it is not asked yet.
    pub fn new(settings: HubSettings) -> Self {
        Self { settings }
    }

    /// Downloads what a BERT-family model needs and returns the folder that holds it.
    ///
    /// These are `config.json`, `model.safetensors` (or `model.safetensors.index.json` and the shards that it names),
    /// `tokenizer.json` or `vocab.txt` (both if both exist), and, if they exist, `tokenizer_config.json`,
    /// `special_tokens_map.json` and `sentence_bert_config.json`. `id` is `owner/name`; the short names `bert-base-uncased` and `distilbert-base-uncased`
    /// are known, other single names are asked for as they are. `revision` is a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// Every [`HubError`] but those of data sets and uploads.
    pub fn model(
        &self,
        id: &str,
        revision: &str,
        on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
    ) -> Result<PathBuf, HubError> {
        let repo = Repo::model(id)?;
        on_own_thread(|| model::download(&Snapshot::open(&self.settings, repo, revision)?, on_progress))
    }

    /// Downloads the parquet files of `splits` and returns the folder that holds them.
    ///
    /// These are the files named `{split}-*.parquet` at the top of the repository or one folder down, as in `plain_text/`;
    /// that folder is returned. `imdb` alone means `stanfordnlp/imdb`. `revision` is a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// Every [`HubError`] but those of models and uploads.
    pub fn dataset(
        &self,
        id: &str,
        revision: &str,
        splits: &[&str],
        on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
    ) -> Result<PathBuf, HubError> {
        let repo = Repo::dataset(id)?;
        on_own_thread(|| {
            dataset::download(&Snapshot::open(&self.settings, repo, revision)?, splits, on_progress)
        })
    }

    /// Uploads files of a folder to a model repository in one commit and returns the address of its page.
    ///
    /// A repository or branch that does not exist is created. An existing repository stays as private as it is.
    ///
    /// # Errors
    ///
    /// [`HubError::Offline`] and [`HubError::NoToken`] before any request, [`HubError::UploadRefused`], and those of
    /// connections and files.
    pub fn upload(&self, upload: &Upload<'_>) -> Result<String, HubError> {
        on_own_thread(|| upload::run(&self.settings, upload))
    }
}

/// Runs the work on a new thread, since the client's own tokio runtime must not run inside another one.
fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
