//! Cache folder of a repository: blobs, snapshots with links to them, and the commits of revisions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::HubError;

/// Cache folder of a repository, such as `{cache}/models--google-bert--bert-base-uncased`.
#[derive(Debug)]
pub(crate) struct RepoFolder {
    pub(crate) path: PathBuf,
}

impl RepoFolder {
    /// Returns the path of the complete file with this etag.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(etag)
    }

    /// Returns the path of the partial file with this etag, during its download.
    pub(crate) fn partial(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(format!("{etag}.part"))
    }

    /// Returns the folder of the files of a commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.path.join("snapshots").join(commit)
    }

    /// Returns the commit of a revision at the last complete download. A commit hash is returned unchanged.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let commit = fs::read_to_string(self.ref_path(revision)).ok()?;
        Some(commit.trim().to_owned())
    }

    /// Stores the commit of a revision.
    pub(crate) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) || self.commit(revision).as_deref() == Some(commit) {
            return Ok(()); // writes nothing, so a read-only cache works
        }
        let path = self.ref_path(revision);
        create_parent(&path)?;
        let partial = path.with_extension("part");
        fs::write(&partial, commit).map_err(io_error(&partial))?;
        fs::rename(&partial, &path).map_err(io_error(&path))
    }

    fn ref_path(&self, revision: &str) -> PathBuf {
        self.path.join("refs").join(revision)
    }

    /// Returns the files of a snapshot, in its root and one folder below, as `name` or `folder/name`.
    pub(crate) fn names(&self, commit: &str) -> Vec<String> {
        let top = self.snapshot(commit);
        let mut names = Vec::new();
        for name in entries(&top) {
            let path = top.join(&name);
            if path.is_dir() {
                let below = entries(&path).into_iter().map(|inner| format!("{name}/{inner}"));
                names.extend(below.filter(|inner| top.join(inner).is_file()));
            } else if path.is_file() {
                names.push(name);
            }
        }
        names
    }

    /// Links a blob as the file `name` of a commit and returns the path of the link.
    pub(crate) fn link(&self, commit: &str, name: &str, etag: &str) -> Result<PathBuf, HubError> {
        let path = self.snapshot(commit).join(name);
        create_parent(&path)?;
        // Deleting `blobs` leaves broken links behind.
        if !path.exists() && path.is_symlink() {
            fs::remove_file(&path).map_err(io_error(&path))?;
        }
        let up = "../".repeat(2 + name.matches('/').count());
        match symlink(Path::new(&format!("{up}blobs/{etag}")), &path) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
            // Links need a privilege on Windows, and some file systems have none: move the file instead.
            Err(_) => fs::rename(self.blob(etag), &path).map_err(io_error(&path)).map(|()| path),
        }
    }
}

/// Creates the parent folder of a file.
pub(crate) fn create_parent(path: &Path) -> Result<(), HubError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(io_error(parent))
}

/// Adds the path to an I/O error.
pub(crate) fn io_error(path: &Path) -> impl FnOnce(io::Error) -> HubError {
    move |source| HubError::Io { path: path.to_owned(), source }
}

fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target.to_string_lossy().replace('/', "\\"), link)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
