//! Atomic writes: a file or directory is written under another name, flushed to the disk and renamed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::contents::{self, Contents, check_checkpoint, is_replaced, remove_checkpoint, remove_replaced};
use super::run_files::{Kind, REPLACED, Stage};
use crate::error::{TrainError, at};

/// Writes a checkpoint with `write` and gives it the name `target`. If that fails, nothing of it is left.
pub(crate) fn write_checkpoint(
    target: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let aside = sibling(target, "tmp");
    remove_checkpoint(&aside, Kind::TemporaryCheckpoint)?;
    fs::create_dir_all(&aside).map_err(at(&aside))?;
    let written =
        write(&aside).and_then(|()| flush_tree(&aside)).and_then(|()| replace_checkpoint(&aside, target));
    if written.is_err() {
        // Frees a full disk. The first error is the one to report.
        let _ = remove_checkpoint(&aside, Kind::TemporaryCheckpoint);
    }
    written
}

/// Writes a file and gives it the name `target`. If that fails, nothing of it is left.
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

/// Gives the checkpoint `source` the name `target`, and removes the checkpoint that had it.
///
/// The old checkpoint is renamed first and removed last: one of the two is complete at any moment.
pub(crate) fn replace_checkpoint(source: &Path, target: &Path) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    remove_checkpoint(&old, Kind::ReplacedCheckpoint)?;
    if target.symlink_metadata().is_ok() {
        check_checkpoint(target)?;
        move_aside(target, &old)?;
    }
    rename(source, target)?;
    remove_checkpoint(&old, Kind::ReplacedCheckpoint)
}

/// Gives the run `source` the name `target`, whose contents are `replaced`. Foreign entries of `target` are moved into
/// `source` first, the run's own files are removed last.
///
/// After a kill, every foreign entry is in one of the two directories, and one of the two runs is complete.
pub(crate) fn replace_run(
    source: &Path,
    target: &Path,
    replaced: Option<Contents>,
) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    match replaced {
        Some(replaced) => {
            make_room(&old)?;
            move_foreign(&replaced, source)?;
            move_aside(target, &old)?;
        }
        None if target.symlink_metadata().is_ok() => fs::remove_dir(target).map_err(at(target))?,
        None => {}
    }
    rename(source, target)?;
    if is_replaced(&old) { remove_replaced(&old) } else { Ok(()) }
}

/// Gives a directory its name back if a kill came between the two renames of [`replace_run`].
pub(crate) fn restore(target: &Path, stage: Stage) -> Result<(), TrainError> {
    let old = sibling(target, "old");
    if target.symlink_metadata().is_err() && is_replaced(&old) {
        rename(&old, target)?;
    }
    if is_replaced(target) && contents::read(target, stage).is_ok() { unmark(target) } else { Ok(()) }
}

/// Gives a checkpoint its name back, as [`restore`] does for a run.
pub(crate) fn restore_checkpoint(old: &Path) -> Result<(), TrainError> {
    let target = old.with_extension("");
    if target.symlink_metadata().is_ok() {
        return remove_checkpoint(old, Kind::ReplacedCheckpoint);
    }
    rename(old, &target)?;
    unmark(&target)
}

/// Returns the path in the same directory whose name has `.suffix` appended.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Fails if `old` is a directory that no run left there.
pub(crate) fn refuse_unless_replaced(old: &Path) -> Result<(), TrainError> {
    let is_foreign = old.symlink_metadata().is_ok() && !is_replaced(old);
    if is_foreign { Err(TrainError::Foreign { path: old.to_owned() }) } else { Ok(()) }
}

/// Flushes every file below `directory`, and the directories, to the disk. Links are not followed.
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

/// Flushes the run's own files to the disk.
pub(crate) fn flush_own(directory: &Path, contents: &Contents) -> Result<(), TrainError> {
    for (kind, path) in &contents.own {
        match kind {
            Kind::File | Kind::TemporaryFile => flush_file(path)?,
            _ => flush_tree(path)?,
        }
    }
    flush_directory(directory)
}

fn make_room(old: &Path) -> Result<(), TrainError> {
    refuse_unless_replaced(old)?;
    if old.symlink_metadata().is_ok() { remove_replaced(old) } else { Ok(()) }
}

fn move_foreign(from: &Contents, to: &Path) -> Result<(), TrainError> {
    if let Some(path) = from.first_conflict(to) {
        return Err(TrainError::Foreign { path: path.clone() });
    }
    from.foreign.iter().try_for_each(|path| rename(path, &to.join(path.file_name().unwrap_or_default())))
}

fn move_aside(target: &Path, old: &Path) -> Result<(), TrainError> {
    mark(target)?;
    rename(target, old)
}

/// Marks a directory as one whose own files may be removed.
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

/// Makes new names durable; only Unix opens a directory as a file.
fn flush_directory(directory: &Path) -> Result<(), TrainError> {
    if !cfg!(unix) || directory.as_os_str().is_empty() {
        return Ok(());
    }
    File::open(directory).and_then(|file| file.sync_all()).map_err(at(directory))
}
