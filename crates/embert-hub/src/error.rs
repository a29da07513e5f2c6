//! Errors of downloads and uploads.

use std::error::Error;
use std::io;
use std::iter;
use std::path::PathBuf;

/// Error of a download or an upload. Its message is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The id is not a valid repository id.
    #[error("{id:?} is neither a local folder nor a repository id of the Hub (owner/name)")]
    InvalidRepoId {
        /// The id.
        id: String,
    },
    /// The Hub cannot be reached: no network, unknown host or refused connection.
    #[error("cannot reach the Hub at {endpoint} ({})", root(source.as_ref()))]
    Unreachable {
        /// The address of the Hub.
        endpoint: String,
        /// The error of the connection.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The address or the token is invalid, or the machine has no root certificates.
    #[error("cannot send requests to the Hub at {endpoint}: {reason}; check HF_ENDPOINT and HF_TOKEN")]
    InvalidSettings {
        /// The address of the Hub.
        endpoint: String,
        /// The problem.
        reason: String,
    },
    /// The repository does not exist, or is hidden from this user.
    #[error(
        "the Hub at {endpoint} has no {repo}; check the spelling (owner/name), set HF_TOKEN if it is private, \
         or give a local folder"
    )]
    RepoNotFound {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
        /// The address of the Hub.
        endpoint: String,
    },
    /// The repository has no such branch, tag or commit.
    #[error("{repo} has no such revision; check the spelling")]
    RevisionNotFound {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
    },
    /// The repository requires a token, and none was given.
    #[error(
        "the Hub requires a token for {repo} (status {status}); if {page} exists and asks for it, accept its terms, \
         then set HF_TOKEN to a token from https://huggingface.co/settings/tokens, or give a local folder"
    )]
    TokenMissing {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
        /// The HTTP status, 401 or 403.
        status: u16,
        /// The page of the repository.
        page: String,
    },
    /// The token has no access to the repository.
    #[error(
        "the Hub rejects the token for {repo} (status {status}); check HF_TOKEN (or the file HF_HOME/token), accept \
         the terms at {page} if it asks for it, or give a local folder"
    )]
    TokenRefused {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
        /// The HTTP status, 401 or 403.
        status: u16,
        /// The page of the repository.
        page: String,
    },
    /// The Hub responded with another error status, after all retries.
    #[error("{url}: the Hub responds with status {status}; try again later, or give a local folder")]
    Status {
        /// The URL of the request.
        url: String,
        /// The status of the last response.
        status: u16,
    },
    /// The response is not that of a Hub, for example the login page of a network.
    #[error("{url}: this is not the response of a Hub: {reason}; check HF_ENDPOINT and the network")]
    UnexpectedResponse {
        /// The URL of the request.
        url: String,
        /// The problem.
        reason: String,
    },
    /// A download was interrupted too often. The downloaded bytes are kept, and the next run resumes.
    #[error(
        "{file}: the download was interrupted after {bytes_done} of {bytes_total} bytes ({}); run again to resume it",
        root(source.as_ref())
    )]
    IncompleteDownload {
        /// The file name in the repository.
        file: String,
        /// The number of downloaded bytes.
        bytes_done: u64,
        /// The size of the file.
        bytes_total: u64,
        /// The error of the connection.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was downloaded twice, and both times differs from the metadata of the Hub.
    #[error("{file}: the downloaded file differs from the metadata of the Hub ({reason}); try again later")]
    Corrupt {
        /// The file name in the repository.
        file: String,
        /// The size or the SHA-256 that differs.
        reason: String,
    },
    /// The Hub is not available, and the cache lacks a file.
    #[error(
        "{repo}: the cache {cache} has no {missing}, and {reason}; go online once, or give a local folder"
    )]
    NotCached {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
        /// The missing files.
        missing: String,
        /// The cache folder of the repository.
        cache: PathBuf,
        /// The reason why the Hub is not available.
        reason: String,
    },
    /// The Hub is not available, and the cache has other splits of a dataset only.
    #[error(
        "{repo}: the cache {cache} has no {missing}, and {reason}; go online once, or give a local folder"
    )]
    SplitNotCached {
        /// The repository: `dataset owner/name`.
        repo: String,
        /// The missing files.
        missing: String,
        /// The cache folder of the repository.
        cache: PathBuf,
        /// The reason why the Hub is not available.
        reason: String,
    },
    /// The repository lacks a required file.
    #[error(
        "{repo} has no {file}, which is required; choose another repository, or give a local folder that has it"
    )]
    FileNotFound {
        /// The repository: `model owner/name` or `dataset owner/name`.
        repo: String,
        /// The missing file.
        file: String,
    },
    /// The index of a sharded model is invalid.
    #[error("{path}: not a valid index of shards: {reason}")]
    InvalidIndex {
        /// The index.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// The repository has no parquet files of a split.
    #[error("{repo} has no {split}-*.parquet in its root or one folder below; {found}")]
    SplitNotFound {
        /// The repository: `dataset owner/name`.
        repo: String,
        /// The split.
        split: String,
        /// The files that exist.
        found: String,
    },
    /// A dataset does not have the configuration.
    #[error("{repo} has no configuration {config}; it has {found}")]
    ConfigNotFound {
        /// The repository: `dataset owner/name`.
        repo: String,
        /// The requested configuration.
        config: String,
        /// The configurations of the dataset.
        found: String,
    },
    /// Several folders have the splits.
    #[error("{repo} has these splits in several configurations ({folders}); name one of them")]
    AmbiguousSplits {
        /// The repository: `dataset owner/name`.
        repo: String,
        /// The folders, separated by commas.
        folders: String,
    },
    /// A file in the cache cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file to upload cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// An upload was started in offline mode.
    #[error("{repo} cannot be uploaded in offline mode; unset HF_HUB_OFFLINE")]
    Offline {
        /// The repository: `model owner/name`.
        repo: String,
    },
    /// An upload was started without a token.
    #[error(
        "{repo} cannot be uploaded without a token; set HF_TOKEN to a token with write access from \
         {endpoint}/settings/tokens"
    )]
    NoToken {
        /// The repository: `model owner/name`.
        repo: String,
        /// The address of the Hub.
        endpoint: String,
    },
    /// The Hub rejected an upload.
    #[error(
        "the Hub rejects the upload of {repo} (status {status}{reason}); check that the token in HF_TOKEN has write access"
    )]
    UploadRefused {
        /// The repository: `model owner/name`.
        repo: String,
        /// The HTTP status.
        status: u16,
        /// The message of the Hub after a colon; empty without a message.
        reason: String,
    },
}

impl HubError {
    /// Returns the error for a split whose dataset is in the cache.
    pub(crate) fn of_split(self) -> Self {
        match self {
            Self::NotCached { repo, missing, cache, reason } => {
                Self::SplitNotCached { repo, missing, cache, reason }
            }
            other => other,
        }
    }

    /// Returns true if the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::IncompleteDownload { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            // An interrupted connection, but not a failed attempt to connect.
            Self::Unreachable { source, .. } => source
                .downcast_ref::<reqwest::Error>()
                .is_some_and(|error| !error.is_connect() && !error.is_builder() && !error.is_redirect()),
            _ => false,
        }
    }
}

/// Returns an iterator over an error and its sources.
pub(crate) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

/// Returns the message of the root cause. The errors above it repeat the address.
pub(crate) fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}
