//! The file that a table is written to: checked before, replaced at the end.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;

/// Writes a new file and renames it, so that the file at `path` is complete or unchanged.
pub(super) fn replace(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let target = target(path)?;
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file() && !existing.is_dir()) {
        return write(&OpenOptions::new().write(true).open(&target)?); // a pipe or a device
    }
    let partial = partial(&target);
    let written = File::create(&partial).and_then(|file| {
        if let Some(existing) = existing {
            file.set_permissions(existing.permissions())?;
        }
        write(&file)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&partial, &target)).inspect_err(|_| {
        let _ = fs::remove_file(&partial); // the first error is the one to report
    })
}

/// Checks the extension and the permissions, without changing an existing file.
pub(super) fn require_writable(path: &Path) -> Result<(), DataError> {
    Format::by_extension(path)?;
    let target = target(path).map_err(DataError::io(path))?;
    match fs::metadata(&target) {
        Ok(existing) if existing.is_dir() => {
            let source = io::Error::new(io::ErrorKind::IsADirectory, "is a directory");
            return Err(DataError::Io { path: path.to_path_buf(), source });
        }
        Ok(existing) if existing.is_file() => {
            OpenOptions::new().append(true).open(&target).map_err(DataError::io(path))?;
        }
        Ok(_) => return Ok(()),
        Err(_) => {}
    }
    let partial = partial(&target);
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::create(&partial)
        .and_then(|_| fs::remove_file(&partial))
        .map_err(DataError::io(directory.unwrap_or(Path::new("."))))
}

/// The path itself, or the target of a symbolic link, which may not exist yet.
fn target(path: &Path) -> io::Result<PathBuf> {
    const MOST_LINKS: usize = 40; // as Linux
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// A name in the same directory, so that the rename stays on one file system.
fn partial(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
