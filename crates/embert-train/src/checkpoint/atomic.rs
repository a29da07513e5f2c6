//! Writing that is either wholly there or not at all: aside, flushed to disk, renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{TrainError, at};

/// Runs `write` on a new directory beside `target`, flushes it, and puts it in the place of `target`. When that fails,
/// nothing of it stays.
pub(crate) fn write_directory(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let aside = sibling(target, "tmp");
    remove_directory(&aside)?;
    fs::create_dir_all(&aside).map_err(at(&aside))?;
    let written =
        write(&aside).and_then(|()| flush_tree(&aside)).and_then(|()| replace_directory(&aside, target));
    if written.is_err() {
        let _ = fs::remove_dir_all(&aside); // gives a full disk its space back; the first error is the one to tell
    }
    written
}

/// The same for one file.
pub(crate) fn write_file(target: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let aside = sibling(target, "tmp");
    let written = File::create(&aside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let named = written.map_err(at(&aside)).and_then(|()| rename(&aside, target));
    if named.is_err() {
        let _ = fs::remove_file(&aside); // as above
    }
    named
}

/// Puts the flushed directory `source` in the place of `target`, whether that exists or not.
///
/// What was there is moved aside first and removed last, so that one of the two is complete at any moment.
pub(crate) fn replace_directory(source: &Path, target: &Path) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    remove_directory(&old)?;
    if target.exists() {
        rename(target, &old)?;
    }
    rename(source, target)?;
    remove_directory(&old)
}

/// The path beside `path` whose name has `.suffix` appended.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Removes a directory and all in it, if it is there.
pub(crate) fn remove_directory(path: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

/// Flushes every file below `directory`, and the directories, to the disk.
pub(crate) fn flush_tree(directory: &Path) -> Result<(), TrainError> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let path = entry.map_err(at(directory))?.path();
        if path.is_dir() {
            flush_tree(&path)?;
        } else {
            File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))?;
        }
    }
    flush_directory(directory)
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainError> {
    fs::rename(from, to).map_err(at(to))?;
    flush_directory(to.parent().unwrap_or(to))
}

/// Makes new names durable; only Unix opens a directory as a file.
fn flush_directory(directory: &Path) -> Result<(), TrainError> {
    if !cfg!(unix) || directory.as_os_str().is_empty() {
        return Ok(());
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(at(directory))
}
