//! The output file of a table: checks that it is writable, and replaces it atomically.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::format::Format;

/// A temporary file that replaces `target` at the end. Without the end, it is removed.
///
/// So the target is always complete or unchanged. A pipe or a device is written directly.
pub(super) struct AtomicFile {
    file: File,
    /// `None` for a pipe or a device, and after the end.
    temporary: Option<PathBuf>,
    target: PathBuf,
}

impl AtomicFile {
    /// Creates the temporary file, with the permissions of an existing target. Follows symbolic links.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let target = target(path)?;
        let existing = fs::metadata(&target).ok();
        if existing.as_ref().is_some_and(|existing| !existing.is_file() && !existing.is_dir()) {
            let file = OpenOptions::new().write(true).open(&target)?;
            return Ok(Self { file, temporary: None, target });
        }
        let temporary = temporary_path(&target);
        let created = Self { file: File::create(&temporary)?, temporary: Some(temporary), target };
        if let Some(existing) = existing {
            created.file.set_permissions(existing.permissions())?;
        }
        Ok(created)
    }

    /// Replaces the target.
    pub(super) fn commit(mut self) -> io::Result<()> {
        let Some(temporary) = &self.temporary else { return Ok(()) };
        self.file.sync_all()?;
        fs::rename(temporary, &self.target)?;
        self.temporary = None;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary); // report the first error, not this one
        }
    }
}

/// Checks the extension and the permissions. Does not change an existing file.
pub(super) fn require_writable(path: &Path) -> Result<(), DataError> {
    Format::of_output(path)?;
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
