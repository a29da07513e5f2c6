//! The files of one commit, from the hub or, when it may not or cannot be asked, from the cache alone.

use std::path::PathBuf;

use crate::cache::RepoFolder;
use crate::client::{Client, is_inside};
use crate::download::Download;
use crate::error::HubError;
use crate::progress::OnProgress;
use crate::repo::Repo;
use crate::settings::HubSettings;

/// The files of one commit.
#[derive(Debug)]
pub(crate) struct Snapshot {
    repo: Repo,
    folder: RepoFolder,
    revision: String,
    commit: String,
    /// The files that the hub lists, or that the cache has.
    pub(crate) names: Vec<String>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Hub(Box<Client>),
    /// Why the hub is not asked.
    CacheAlone(String),
}

impl Snapshot {
    /// The snapshot of a revision: one request to the hub, none when `settings` say offline.
    pub(crate) fn open(settings: &HubSettings, repo: Repo, revision: &str) -> Result<Self, HubError> {
        if !is_inside(revision) {
            return Err(HubError::NoRevision { repo: repo.to_string() });
        }
        let folder = RepoFolder { path: settings.cache.join(repo.folder()) };
        if settings.offline {
            return Self::cached(
                folder,
                repo,
                revision,
                "the hub may not be asked (HF_HUB_OFFLINE)".to_owned(),
            );
        }
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
                let reason = format!("the hub at {} does not answer", client.endpoint);
                Self::cached(folder, repo, revision, reason).map_err(|_| error)
            }
            Err(error) => Err(error),
        }
    }

    fn cached(folder: RepoFolder, repo: Repo, revision: &str, reason: String) -> Result<Self, HubError> {
        let Some(commit) = folder.commit(revision) else {
            let (repo, missing) = (repo.to_string(), "file of it".to_owned());
            return Err(HubError::NotCached { repo, missing, cache: folder.path, reason });
        };
        let names = folder.names(&commit);
        let source = Source::CacheAlone(reason);
        Ok(Self { repo, folder, revision: revision.to_owned(), commit, names, source })
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The path of a file, downloaded now if the cache lacks it.
    pub(crate) fn file(&self, name: &str, on_progress: &mut OnProgress<'_>) -> Result<PathBuf, HubError> {
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
    pub(crate) fn lacks(&self, file: &str) -> HubError {
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
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.source, Source::Hub(_))
    }

    /// Writes into the cache that the revision means this commit: everything that was asked for is there.
    pub(crate) fn finish(&self) -> Result<(), HubError> {
        match self.source {
            Source::Hub(_) => self.folder.set_commit(&self.revision, &self.commit),
            Source::CacheAlone(_) => Ok(()),
        }
    }

    /// The snapshot's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.snapshot(&self.commit)
    }

    /// The repository, as messages name it.
    pub(crate) fn repo(&self) -> String {
        self.repo.to_string()
    }
}
