//! The files of one commit, from the hub or, when it may not or cannot be asked, from the cache alone.

use std::path::PathBuf;

use super::cache::RepoFolder;
use super::client::Client;
use super::download::Download;
use super::repo::Repo;
use super::{HubError, HubProgress, HubSettings};

/// The files of one commit.
#[derive(Debug)]
pub(super) struct Snapshot {
    repo: Repo,
    folder: RepoFolder,
    commit: String,
    /// The files that the hub lists, or that the cache has.
    pub(super) names: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Hub(Client),
    /// Why the hub is not asked.
    CacheAlone(String),
}

impl Snapshot {
    /// The snapshot of `main`: one request to the hub, none when `settings` say offline.
    pub(super) fn open(settings: &HubSettings, repo: Repo) -> Result<Self, HubError> {
        if settings.offline {
            return Self::cached(settings, repo, "the hub may not be asked (HF_HUB_OFFLINE)".to_owned());
        }
        let client = Client::new(settings);
        match client.listing(&repo) {
            Ok(listing) => Ok(Self {
                folder: RepoFolder { path: settings.cache.join(repo.folder()) },
                repo,
                commit: listing.commit,
                names: listing.names,
                source: Source::Hub(client),
            }),
            Err(error @ (HubError::Unreachable { .. } | HubError::Status { .. })) => {
                let reason = format!("the hub at {} does not answer", client.endpoint());
                Self::cached(settings, repo, reason).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    fn cached(settings: &HubSettings, repo: Repo, reason: String) -> Result<Self, HubError> {
        let folder = RepoFolder { path: settings.cache.join(repo.folder()) };
        let Some(commit) = folder.main_commit() else {
            let (repo, missing) = (repo.to_string(), "file of it".to_owned());
            return Err(HubError::NotCached { repo, missing, cache: folder.path, reason });
        };
        let names = folder.names(&commit);
        Ok(Self { repo, folder, commit, names, source: Source::CacheAlone(reason) })
    }

    /// Whether there is a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The path of a file, downloaded now if the cache lacks it.
    pub(super) fn bring(
        &self,
        name: &str,
        on_progress: &mut dyn FnMut(HubProgress<'_>),
    ) -> Result<PathBuf, HubError> {
        let path = self.path().join(name);
        if path.is_file() {
            return Ok(path);
        }
        if !self.has(name) {
            return Err(self.lacks(name));
        }
        let Source::Hub(client) = &self.source else { return Err(self.lacks(name)) };
        let Self { repo, folder, commit, .. } = self;
        Download { client, repo, folder, commit, name }.run(on_progress)
    }

    /// The error that says that a file is not there, and where it is not.
    pub(super) fn lacks(&self, file: &str) -> HubError {
        let (repo, file) = (self.repo.to_string(), file.to_owned());
        match &self.source {
            Source::Hub(_) => HubError::MissingFile { repo, file },
            Source::CacheAlone(reason) => HubError::NotCached {
                repo,
                missing: file,
                cache: self.folder.path.clone(),
                reason: reason.clone(),
            },
        }
    }

    /// Whether [`Snapshot::names`] are all that the repository has.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.source, Source::Hub(_))
    }

    /// Says in the cache that this commit is what `main` means: everything asked for has come.
    pub(super) fn finish(&self) -> Result<(), HubError> {
        match self.source {
            Source::Hub(_) => self.folder.set_main_commit(&self.commit),
            Source::CacheAlone(_) => Ok(()),
        }
    }

    /// The snapshot's folder.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.snapshot(&self.commit)
    }

    /// The repository, as messages name it.
    pub(super) fn repo(&self) -> String {
        self.repo.to_string()
    }
}
