//! One repository's folder in the cache: blobs, snapshots that link to them, and the commits of its revisions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::HubError;

/// One repository's folder in the cache, such as `{cache}/models--google-bert--bert-base-uncased`.
#[derive(Debug)]
pub(crate) struct RepoFolder {
    pub(crate) path: PathBuf,
}

impl RepoFolder {
    /// Where the bytes of the file with this etag are, once they are whole.
    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(etag)
    }

    /// Where they are gathered until then.
    pub(crate) fn part(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(format!("{etag}.part"))
    }

    /// The folder that shows the files of one commit.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.path.join("snapshots").join(commit)
    }

    /// The commit that a revision meant at the last complete download; a commit is itself one.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let commit = fs::read_to_string(self.reference(revision)).ok()?;
        Some(commit.trim().to_owned())
    }

    /// Writes the commit that a revision means now.
    pub(crate) fn set_commit(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) || self.commit(revision).as_deref() == Some(commit) {
            return Ok(()); // so that a cache on a read-only disk can be used
        }
        let path = self.reference(revision);
        create_parent(&path)?;
        let aside = path.with_extension("part");
        fs::write(&aside, commit).map_err(at(&aside))?;
        fs::rename(&aside, &path).map_err(at(&path))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.path.join("refs").join(revision)
    }

    /// The files of a snapshot, at its top and one folder down, as `name` or `folder/name`.
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

    /// Shows a blob as the file `name` of a commit and returns that path.
    pub(crate) fn show(&self, commit: &str, name: &str, etag: &str) -> Result<PathBuf, HubError> {
        let path = self.snapshot(commit).join(name);
        create_parent(&path)?;
        // A link that leads nowhere is left where somebody emptied `blobs`.
        if !path.exists() && path.is_symlink() {
            fs::remove_file(&path).map_err(at(&path))?;
        }
        let up = "../".repeat(2 + name.matches('/').count());
        match symlink(Path::new(&format!("{up}blobs/{etag}")), &path) {
            Ok(()) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
            // Windows without the right to make links, disks that have none: the file itself moves.
            Err(_) => fs::rename(self.blob(etag), &path).map_err(at(&path)).map(|()| path),
        }
    }
}

/// Makes the folder that a file is to lie in.
pub(crate) fn create_parent(path: &Path) -> Result<(), HubError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(at(parent))
}

/// Says where in the file system something went wrong.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> HubError {
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
