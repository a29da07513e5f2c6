//! One repository's folder in the cache: blobs, snapshots that link to them, and what `main` meant.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::HubError;

/// One repository's folder in the cache, such as `{cache}/models--google-bert--bert-base-uncased`.
#[derive(Debug)]
pub(super) struct RepoFolder {
    pub(super) path: PathBuf,
}

impl RepoFolder {
    /// Where the bytes of the file with this etag are, once they are whole.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(etag)
    }

    /// Where they are gathered until then.
    pub(super) fn part(&self, etag: &str) -> PathBuf {
        self.path.join("blobs").join(format!("{etag}.part"))
    }

    /// The folder that shows the files of one commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.path.join("snapshots").join(commit)
    }

    /// The commit that `main` meant when it was last fetched whole.
    pub(super) fn main_commit(&self) -> Option<String> {
        let commit = fs::read_to_string(self.main_ref()).ok()?;
        Some(commit.trim().to_owned())
    }

    /// Writes down what `main` means now.
    pub(super) fn set_main_commit(&self, commit: &str) -> Result<(), HubError> {
        if self.main_commit().as_deref() == Some(commit) {
            return Ok(()); // so that a cache on a read-only disk can be used
        }
        let path = self.main_ref();
        create_parent(&path)?;
        let aside = path.with_extension("part");
        fs::write(&aside, commit).map_err(at(&aside))?;
        fs::rename(&aside, &path).map_err(at(&path))
    }

    fn main_ref(&self) -> PathBuf {
        self.path.join("refs").join("main")
    }

    /// The files of a snapshot, at its top and one folder down, as `name` or `folder/name`.
    pub(super) fn names(&self, commit: &str) -> Vec<String> {
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
    pub(super) fn show(&self, commit: &str, name: &str, etag: &str) -> Result<PathBuf, HubError> {
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
pub(super) fn create_parent(path: &Path) -> Result<(), HubError> {
    let Some(parent) = path.parent() else { return Ok(()) };
    fs::create_dir_all(parent).map_err(at(parent))
}

/// Says where in the file system something went wrong.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> HubError {
    move |source| HubError::Io { path: path.to_owned(), source }
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
