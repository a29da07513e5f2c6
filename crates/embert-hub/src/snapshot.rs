//! Files of one commit, from the Hub or, offline, from the cache.

use std::path::PathBuf;

use crate::cache::RepoFolder;
use crate::client::{Client, is_inside};
use crate::download::Download;
use crate::error::HubError;
use crate::progress::OnProgress;
use crate::repo::Repo;
use crate::settings::HubSettings;

/// Files of one commit.
#[derive(Debug)]
pub(crate) struct Snapshot {
    repo: Repo,
    folder: RepoFolder,
    revision: String,
    commit: String,
    /// Files in the repository; without the Hub, files in the cache.
    pub(crate) names: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Hub(Box<Client>),
    /// The reason why the Hub is not used.
    CacheOnly(String),
}

impl Snapshot {
    /// Returns the snapshot of a revision. Makes one request to the Hub, or none in offline mode.
    pub(crate) fn open(settings: &HubSettings, repo: Repo, revision: &str) -> Result<Self, HubError> {
        if !is_inside(revision) {
            return Err(HubError::RevisionNotFound { repo: repo.to_string() });
        }
        if settings.offline {
            return Self::cached(settings, repo, revision, "offline mode is on (HF_HUB_OFFLINE)".to_owned());
        }
        let folder = RepoFolder { path: settings.cache.join(repo.folder()) };
        let client = Client::for_downloads(settings)?;
        match client.listing(&repo, revision) {
            Ok(listing) => Ok(Self {
                folder,
                repo,
                revision: revision.to_owned(),
                commit: listing.commit,
                names: listing.names,
                source: Source::Hub(Box::new(client)),
            }),
            Err(error @ (HubError::Unreachable { .. } | HubError::Status { .. })) => {
                let reason = format!("the Hub at {} does not respond", client.endpoint);
                Self::cached(settings, repo, revision, reason).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    fn cached(settings: &HubSettings, repo: Repo, revision: &str, reason: String) -> Result<Self, HubError> {
        let folder = cache_folder(settings, &repo, revision);
        let Some(commit) = folder.commit(revision) else {
            let (repo, missing) = (repo.to_string(), "files of this repository".to_owned());
            return Err(HubError::NotCached { repo, missing, cache: folder.path, reason });
        };
        let names = folder.names(&commit);
        let source = Source::CacheOnly(reason);
        Ok(Self { repo, folder, revision: revision.to_owned(), commit, names, source })
    }

    /// Returns true if the snapshot has a file with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Returns the path of a file. Downloads it if it is not in the cache.
    pub(crate) fn file(&self, name: &str, on_progress: &mut OnProgress<'_>) -> Result<PathBuf, HubError> {
        let path = self.path().join(name);
        if path.is_file() {
            return Ok(path);
        }
        if !self.has(name) {
            return Err(self.missing(name));
        }
        let Source::Hub(client) = &self.source else { return Err(self.missing(name)) };
        let Self { repo, folder, commit, .. } = self;
        Download { client, repo, folder, commit, name }.run(on_progress)
    }

    /// Returns the error for a missing file.
    pub(crate) fn missing(&self, file: &str) -> HubError {
        let (repo, file) = (self.repo.to_string(), file.to_owned());
        match &self.source {
            Source::Hub(_) => HubError::FileNotFound { repo, file },
            Source::CacheOnly(reason) => HubError::NotCached {
                repo,
                missing: file,
                cache: self.folder.path.clone(),
                reason: reason.clone(),
            },
        }
    }

    /// Returns true if [`names`](Self::names) has all files of the repository.
    pub(crate) fn is_from_hub(&self) -> bool {
        matches!(self.source, Source::Hub(_))
    }

    /// Stores the commit of the revision in the cache. Call it after all files are downloaded.
    pub(crate) fn save_revision(&self) -> Result<(), HubError> {
        match self.source {
            Source::Hub(_) => self.folder.set_commit(&self.revision, &self.commit),
            Source::CacheOnly(_) => Ok(()),
        }
    }

    /// Returns the folder of the snapshot.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.snapshot(&self.commit)
    }

    /// Returns the repository for messages, such as `model owner/name`.
    pub(crate) fn repo(&self) -> String {
        self.repo.to_string()
    }
}

/// Returns the cache folder of a repository; that of its short id if only this one has the revision.
fn cache_folder(settings: &HubSettings, repo: &Repo, revision: &str) -> RepoFolder {
    let folder = |name: String| RepoFolder { path: settings.cache.join(name) };
    let has_revision =
        |folder: &RepoFolder| folder.commit(revision).is_some_and(|commit| folder.snapshot(&commit).is_dir());
    let full = folder(repo.folder());
    if has_revision(&full) {
        return full;
    }
    repo.short_folder().map(folder).filter(has_revision).unwrap_or(full)
}
