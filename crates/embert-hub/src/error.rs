//! Errors of downloads and uploads, each in one line that says what to do.

use std::error::Error;
use std::io;
use std::iter;
use std::path::PathBuf;

/// Why a download or an upload failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// Neither one name nor `owner/name`.
    #[error("{id:?} is neither a folder on this machine nor a name on the hub (owner/name)")]
    NotAnId {
        /// What was given.
        id: String,
    },
    /// The hub could not be reached: no network, no such host, nobody listening.
    #[error("cannot reach the hub at {endpoint} ({})", root(source.as_ref()))]
    Unreachable {
        /// The hub's address.
        endpoint: String,
        /// What the connection ended with.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The address or the token is not one, or this machine has no certificates to check a hub by.
    #[error("the hub at {endpoint} cannot be asked: {reason}; check HF_ENDPOINT and HF_TOKEN")]
    BadSettings {
        /// The hub's address.
        endpoint: String,
        /// What is wrong.
        reason: String,
    },
    /// The hub knows no such repository, or does not say that it does.
    #[error(
        "the hub at {endpoint} has no {repo}: check the spelling (owner/name), set HF_TOKEN if it is private, \
         or give a local folder"
    )]
    NotFound {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
        /// The hub's address.
        endpoint: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("{repo} has no such revision: check its spelling")]
    NoRevision {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
    },
    /// The hub asks for a token and none was given.
    #[error(
        "the hub wants a token for {repo} (status {status}): if {page} exists and asks for it, accept its terms, \
         then set HF_TOKEN to a token of yours from https://huggingface.co/settings/tokens, or give a local folder"
    )]
    TokenMissing {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
        /// The hub's status, 401 or 403.
        status: u16,
        /// The repository's page.
        page: String,
    },
    /// The hub did not accept the token for this repository.
    #[error(
        "the hub refuses the token for {repo} (status {status}): check HF_TOKEN (or the file HF_HOME/token), accept \
         the terms at {page} if it asks for it, or give a local folder"
    )]
    TokenRefused {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
        /// The hub's status, 401 or 403.
        status: u16,
        /// The repository's page.
        page: String,
    },
    /// Another status than success, after the tries that such a status deserves.
    #[error("{url}: the hub answers status {status}: try again later, or give a local folder")]
    Status {
        /// What was asked for.
        url: String,
        /// The status of the last answer.
        status: u16,
    },
    /// An answer that a hub does not give, as of a login page in between.
    #[error("{url}: this is not a hub's answer: {reason}; check HF_ENDPOINT and the network")]
    NotAHub {
        /// What was asked for.
        url: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// A body kept breaking off; what came is kept and the next run goes on from there.
    #[error(
        "{file}: the download broke off at {bytes_done} of {bytes_total} bytes ({}): run again to resume it",
        root(source.as_ref())
    )]
    BrokeOff {
        /// The file's name in the repository.
        file: String,
        /// Bytes on disk.
        bytes_done: u64,
        /// Bytes of the whole file.
        bytes_total: u64,
        /// What the connection ended with.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A body came whole, twice, and is not what the hub said it would be.
    #[error("{file}: what was downloaded is not what the hub announced ({reason}): try again later")]
    Corrupt {
        /// The file's name in the repository.
        file: String,
        /// The size or the SHA-256 that differs.
        reason: String,
    },
    /// Offline, and the cache lacks something.
    #[error(
        "{repo}: the cache {cache} has no {missing}, and {reason}: go online once, or give a local folder instead of a \
         hub name"
    )]
    NotCached {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
        /// What is missing.
        missing: String,
        /// The repository's folder in the cache.
        cache: PathBuf,
        /// Why the hub was not asked.
        reason: String,
    },
    /// The repository has no such file.
    #[error("{repo} has no {file}, which is needed: choose another, or give a local folder that has it")]
    MissingFile {
        /// The repository: `model owner/name` or `data set owner/name`.
        repo: String,
        /// The file that was looked for.
        file: String,
    },
    /// The weights are there as a pickle only.
    #[error(
        "{repo} has its weights in {file} only, a pickle, which can run any code and is not read: convert it once in \
         Python with AutoModel.from_pretrained(NAME).save_pretrained(FOLDER) and AutoTokenizer likewise, and give FOLDER"
    )]
    PickleOnly {
        /// The repository: `model owner/name`.
        repo: String,
        /// The pickle.
        file: String,
    },
    /// The index of a sharded model cannot be used.
    #[error("{path}: not an index of safetensors shards: {reason}")]
    BadIndex {
        /// The index.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The repository has no parquet files of a split.
    #[error("{repo} has no {split}-*.parquet, at its top or one folder down; {found}")]
    MissingSplit {
        /// The repository: `data set owner/name`.
        repo: String,
        /// The split that was asked for.
        split: String,
        /// What is there instead.
        found: String,
    },
    /// Several folders hold the splits, so that it is not clear which is meant.
    #[error(
        "{repo} has these splits in several folders ({folders}): download one of them and give it as a local folder"
    )]
    SeveralFolders {
        /// The repository: `data set owner/name`.
        repo: String,
        /// The folders, separated by commas.
        folders: String,
    },
    /// The cache folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A file to upload could not be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// An upload without a network.
    #[error("{repo} cannot be uploaded, since the hub may not be asked (HF_HUB_OFFLINE)")]
    Offline {
        /// The repository: `model owner/name`.
        repo: String,
    },
    /// An upload without a token.
    #[error(
        "{repo} cannot be uploaded without a token: set HF_TOKEN to one that may write, from {endpoint}/settings/tokens"
    )]
    NoToken {
        /// The repository: `model owner/name`.
        repo: String,
        /// The hub's address.
        endpoint: String,
    },
    /// The hub does not take an upload.
    #[error(
        "the hub refuses the upload of {repo} (status {status}{reason}): check that the token in HF_TOKEN may write to it"
    )]
    UploadRefused {
        /// The repository: `model owner/name`.
        repo: String,
        /// The hub's status.
        status: u16,
        /// What the hub says, after a colon; else nothing.
        reason: String,
    },
}

impl HubError {
    /// Whether the same request may succeed a moment later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::BrokeOff { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            // A connection that was there and went; not one that could not be made.
            Self::Unreachable { source, .. } => source
                .downcast_ref::<reqwest::Error>()
                .is_some_and(|error| !error.is_connect() && !error.is_builder() && !error.is_redirect()),
            _ => false,
        }
    }
}

/// An error and what caused it, down to the first cause.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// The first cause of an error, which is the one to show: those above it repeat the address.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}
