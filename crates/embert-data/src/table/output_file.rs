//! The output file of a table: checks that it is writable, and replaces it atomically.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;

/// Writes a temporary file and renames it, so the file at `path` is always complete or unchanged.
pub(super) fn replace(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let target = target(path)?;
    let existing = fs::metadata(&target).ok();
    if existing.as_ref().is_some_and(|existing| !existing.is_file() && !existing.is_dir()) {
        return write(&OpenOptions::new().write(true).open(&target)?); // a pipe or a device
    }
    let temporary = temporary_path(&target);
    let written = File::create(&temporary).and_then(|file| {
        if let Some(existing) = existing {
            file.set_permissions(existing.permissions())?;
        }
        write(&file)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, &target)).inspect_err(|_| {
        let _ = fs::remove_file(&temporary); // report the first error, not this one
    })
}

/// Checks the extension and the permissions. Does not change an existing file.
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
    let temporary = temporary_path(&target);
    let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::create(&temporary)
        .and_then(|_| fs::remove_file(&temporary))
        .map_err(DataError::io(directory.unwrap_or(Path::new("."))))
}

/// Follows symbolic links. The target need not exist.
fn target(path: &Path) -> io::Result<PathBuf> {
    const MAX_LINKS: usize = 40; // as in Linux
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// Returns a path in the same directory, so that the rename stays on one file system.
fn temporary_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
