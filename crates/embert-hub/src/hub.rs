//! Client of the Hugging Face Hub: downloads models and datasets, uploads models.

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

/// Client of the Hugging Face Hub, with a cache of downloaded files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub {
    settings: HubSettings,
}

impl Hub {
    /// Creates a client. Makes no request.
    pub fn new(settings: HubSettings) -> Self {
        Self { settings }
    }

    /// Downloads a BERT-family model, or an adapter of PEFT without its base model, and returns the folder of its files.
    ///
    /// The files of a model are `config.json`; `model.safetensors`, or `model.safetensors.index.json` and its shards;
    /// `tokenizer.json`, `vocab.txt` or both; and, if they exist, `tokenizer_config.json`, `special_tokens_map.json`,
    /// `recipe.toml` and `sentence_bert_config.json`. Those of an adapter are `adapter_config.json`,
    /// `adapter_model.safetensors` or `adapter_model.bin`, and those of the others that exist.
    ///
    /// `id` is `owner/name`, or one of the short names `bert-base-uncased` and `distilbert-base-uncased`.
    /// `revision` is a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// Any [`HubError`] except those about datasets and uploads.
    pub fn model(
        &self,
        id: &str,
        revision: &str,
        on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
    ) -> Result<PathBuf, HubError> {
        let repo = Repo::model(id)?;
        on_new_thread(|| model::download(&Snapshot::open(&self.settings, repo, revision)?, on_progress))
    }

    /// Downloads the parquet files of `splits` and returns their folder.
    ///
    /// The files are named `{split}-*.parquet` and are in the root of the repository or in a folder of the
    /// root, such as `plain_text/`. `config` is the name of that folder; it is needed if several folders have
    /// the splits, such as `mrpc/` and `sst2/` of `nyu-mll/glue`. The short name `imdb` means
    /// `stanfordnlp/imdb`. `revision` is a branch, a tag or a commit.
    ///
    /// # Errors
    ///
    /// Any [`HubError`] except those about models and uploads.
    pub fn dataset(
        &self,
        id: &str,
        revision: &str,
        config: Option<&str>,
        splits: &[&str],
        on_progress: &mut (dyn FnMut(HubProgress<'_>) + Send),
    ) -> Result<PathBuf, HubError> {
        let repo = Repo::dataset(id)?;
        on_new_thread(|| {
            dataset::download(&Snapshot::open(&self.settings, repo, revision)?, config, splits, on_progress)
        })
    }

    /// Uploads files to a model repository in one commit, and returns the URL of the model page.
    ///
    /// Creates the repository and the branch if they do not exist. The visibility of an existing repository
    /// is not changed.
    ///
    /// # Errors
    ///
    /// [`HubError::Offline`] and [`HubError::NoToken`] before any request; [`HubError::UploadRefused`]; and
    /// errors of connections and files.
    pub fn upload(&self, upload: &Upload<'_>) -> Result<String, HubError> {
        on_new_thread(|| upload::run(&self.settings, upload))
    }
}

/// Runs a function on a new thread, because the tokio runtime of the client cannot run inside another
/// runtime.
fn on_new_thread<T: Send>(task: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(task).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
