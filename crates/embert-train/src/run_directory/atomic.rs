//! Atomic writes: writes a file or directory with a temporary name, flushes it to disk and renames it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::contents::{self, Contents, check_checkpoint, is_replaced, remove_checkpoint, remove_replaced};
use super::run_files::{EntryKind, REPLACED, RunStage};
use crate::error::{TrainError, at};

/// Writes a checkpoint with `write` and renames it to `target`. Leaves no files on failure.
pub(crate) fn write_checkpoint(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let temporary = sibling(target, "tmp");
    remove_checkpoint(&temporary, EntryKind::TemporaryCheckpoint)?;
    fs::create_dir_all(&temporary).map_err(at(&temporary))?;
    let written = write(&temporary)
        .and_then(|()| flush_tree(&temporary))
        .and_then(|()| replace_checkpoint(&temporary, target));
    if written.is_err() {
        // Frees space on a full disk. Only the first error is reported.
        let _ = remove_checkpoint(&temporary, EntryKind::TemporaryCheckpoint);
    }
    written
}

/// Writes a file and renames it to `target`. Leaves no files on failure.
pub(crate) fn write_file(target: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let temporary = sibling(target, "tmp");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.map_err(at(&temporary)).and_then(|()| rename(&temporary, target));
    if renamed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    renamed
}

/// Renames the checkpoint `source` to `target`, and removes the old `target`.
///
/// Renames the old checkpoint first and removes it last, so that one of the two is always complete.
pub(crate) fn replace_checkpoint(source: &Path, target: &Path) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    remove_checkpoint(&old, EntryKind::ReplacedCheckpoint)?;
    if target.symlink_metadata().is_ok() {
        check_checkpoint(target)?;
        rename_to_old(target, &old)?;
    }
    rename(source, target)?;
    remove_checkpoint(&old, EntryKind::ReplacedCheckpoint)
}

/// Renames the run `source` to `target`, and removes the old `target`, whose contents are `replaced`.
///
/// Moves foreign entries of `target` into `source` first. After a kill, every foreign entry is in one of the two
/// directories, and one of the two runs is complete.
pub(crate) fn replace_run(
    source: &Path,
    target: &Path,
    replaced: Option<Contents>,
) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    match replaced {
        Some(replaced) => {
            remove_old(&old)?;
            move_foreign(&replaced, source)?;
            rename_to_old(target, &old)?;
        }
        None if target.symlink_metadata().is_ok() => fs::remove_dir(target).map_err(at(target))?,
        None => {}
    }
    rename(source, target)?;
    if is_replaced(&old) { remove_replaced(&old) } else { Ok(()) }
}

/// Undoes [`replace_run`] if a kill interrupted it between the two renames.
pub(crate) fn restore(target: &Path, stage: RunStage) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    if target.symlink_metadata().is_err() && is_replaced(&old) {
        rename(&old, target)?;
    }
    if is_replaced(target) && contents::read(target, stage).is_ok() { unmark(target) } else { Ok(()) }
}

/// Undoes [`replace_checkpoint`] if a kill interrupted it.
pub(crate) fn restore_checkpoint(old: &Path) -> Result<(), TrainError> {
    let target = old.with_extension("");
    if target.symlink_metadata().is_ok() {
        return remove_checkpoint(old, EntryKind::ReplacedCheckpoint);
    }
    rename(old, &target)?;
    unmark(&target)
}

/// Returns the path with `.suffix` appended to the name.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Fails if `old` exists and is not a replaced run.
pub(crate) fn check_replaced(old: &Path) -> Result<(), TrainError> {
    let is_foreign = old.symlink_metadata().is_ok() && !is_replaced(old);
    if is_foreign { Err(TrainError::Foreign { path: old.to_owned() }) } else { Ok(()) }
}

/// Flushes all files and directories in `directory` to disk. Does not follow links.
pub(crate) fn flush_tree(directory: &Path) -> Result<(), TrainError> {
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let entry = entry.map_err(at(directory))?;
        let (path, file_type) = (entry.path(), entry.file_type().map_err(at(directory))?);
        if file_type.is_dir() {
            flush_tree(&path)?;
        } else if file_type.is_file() {
            flush_file(&path)?;
        }
    }
    flush_directory(directory)
}

/// Flushes the run's own files to disk.
pub(crate) fn flush_own(directory: &Path, contents: &Contents) -> Result<(), TrainError> {
    for (kind, path) in &contents.own {
        match kind {
            EntryKind::File | EntryKind::TemporaryFile => flush_file(path)?,
            _ => flush_tree(path)?,
        }
    }
    flush_directory(directory)
}

fn remove_old(old: &Path) -> Result<(), TrainError> {
    check_replaced(old)?;
    if old.symlink_metadata().is_ok() { remove_replaced(old) } else { Ok(()) }
}

fn move_foreign(from: &Contents, to: &Path) -> Result<(), TrainError> {
    if let Some(path) = from.first_conflict(to) {
        return Err(TrainError::Foreign { path: path.clone() });
    }
    from.foreign.iter().try_for_each(|path| rename(path, &to.join(path.file_name().unwrap_or_default())))
}

fn rename_to_old(target: &Path, old: &Path) -> Result<(), TrainError> {
    mark(target)?;
    rename(target, old)
}

/// Marks a directory as replaced, so that its own files may be removed.
pub(crate) fn mark(directory: &Path) -> Result<(), TrainError> {
    let marker = directory.join(REPLACED);
    File::create(&marker).map(drop).map_err(at(marker))
}

pub(crate) fn unmark(directory: &Path) -> Result<(), TrainError> {
    let marker = directory.join(REPLACED);
    fs::remove_file(&marker).map_err(at(&marker))
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainError> {
    fs::rename(from, to).map_err(at(to))?;
    flush_directory(to.parent().unwrap_or(to))
}

fn flush_file(path: &Path) -> Result<(), TrainError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(at(path))
}

/// Flushes the names in a directory to disk. Only Unix can open a directory as a file.
pub(crate) fn flush_directory(directory: &Path) -> Result<(), TrainError> {
    if !cfg!(unix) || directory.as_os_str().is_empty() {
        return Ok(());
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(at(directory))
}
