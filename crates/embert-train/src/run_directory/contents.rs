//! The entries of a run directory: the run's own entries, which may be removed, and foreign entries, which must stay.

use std::fs::{self, FileType};
use std::io::ErrorKind::{DirectoryNotEmpty, NotFound};
use std::path::{Path, PathBuf};

use super::run_files::{
    ALL_RESULTS, CARD, EntryKind, LOCK, METRICS, OPTIMIZER, RECIPE, REPLACED, RunStage, STATE, TRAINER_STATE,
    is_checkpoint_file, kind,
};
use crate::error::{TrainError, at};

/// The entries of a run directory.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) own: Vec<(EntryKind, PathBuf)>,
    pub(crate) foreign: Vec<PathBuf>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    path: PathBuf,
    /// The type of the entry itself; links are not followed.
    file_type: FileType,
}

/// Reads a run directory at this stage. `None` if it does not exist or is empty.
///
/// Fails if it is not a run directory, or if an entry can neither be removed nor moved.
pub(crate) fn read(directory: &Path, stage: RunStage) -> Result<Option<Contents>, TrainError> {
    if directory.is_symlink() {
        return Err(foreign(directory));
    }
    let entries = entries(directory)?;
    if entries.is_empty() {
        return Ok(None);
    }
    if !is_run(&entries, stage) {
        let entry = entries.iter().find(|entry| kind(&entry.name, stage) == EntryKind::Foreign);
        let entry = entry.unwrap_or(&entries[0]).name.clone();
        return Err(TrainError::NotARun { path: directory.to_owned(), entry });
    }
    classify(directory, entries, stage).map(Some)
}

/// Reads the directory of the run in progress. Does not look into its checkpoints: they stay, with all their files.
pub(crate) fn read_in_progress(directory: &Path) -> Result<Contents, TrainError> {
    let mut contents = Contents::default();
    for entry in entries(directory)? {
        match kind(&entry.name, RunStage::Unfinished) {
            EntryKind::Foreign => contents.foreign.push(entry.path),
            kind => contents.own.push((kind, entry.path)),
        }
    }
    Ok(contents)
}

/// Returns true if a run marked the directory as replaced.
pub(crate) fn is_replaced(directory: &Path) -> bool {
    let is_directory = fs::symlink_metadata(directory).is_ok_and(|metadata| metadata.is_dir());
    is_directory && fs::symlink_metadata(directory.join(REPLACED)).is_ok_and(|metadata| metadata.is_file())
}

/// Removes a replaced directory, except foreign entries.
pub(crate) fn remove_replaced(directory: &Path) -> Result<(), TrainError> {
    let entries = entries(directory)?;
    classify(directory, entries, RunStage::Finished)?.remove(directory)
}

/// Removes a directory of copied checkpoints, complete or not. With a foreign entry, fails and removes nothing.
pub(crate) fn remove_copies(directory: &Path) -> Result<(), TrainError> {
    let mut entries = entries(directory)?;
    entries.sort_by_key(|entry| entry.name == REPLACED);
    let is_checkpoint = |entry: &Entry| kind(&entry.name, RunStage::Unfinished) == EntryKind::Checkpoint;
    for entry in &entries {
        if is_checkpoint(entry) {
            checkpoint_files(&entry.path, entry.file_type, EntryKind::TemporaryCheckpoint)?;
        } else if ![RECIPE, METRICS, REPLACED].contains(&entry.name.as_str()) {
            return Err(foreign(&entry.path));
        }
    }
    for entry in &entries {
        if is_checkpoint(entry) {
            remove_checkpoint(&entry.path, EntryKind::TemporaryCheckpoint)?;
        } else {
            fs::remove_file(&entry.path).map_err(at(&entry.path))?;
        }
    }
    fs::remove_dir(directory).map_err(at(directory))
}

/// Removes a checkpoint if it exists. With a foreign file, fails and removes nothing.
pub(crate) fn remove_checkpoint(path: &Path, kind: EntryKind) -> Result<(), TrainError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    let mut files = checkpoint_files(path, metadata.file_type(), kind)?;
    // After a kill, the rest is still recognized.
    files.sort_by_key(|entry| [STATE, REPLACED].iter().position(|name| entry.name == *name));
    files.iter().try_for_each(|entry| fs::remove_file(&entry.path).map_err(at(&entry.path)))?;
    fs::remove_dir(path).map_err(at(path))
}

/// Fails if the path exists and is not a checkpoint of a run.
pub(crate) fn check_checkpoint(path: &Path) -> Result<(), TrainError> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    checkpoint_files(path, metadata.file_type(), EntryKind::Checkpoint).map(drop)
}

impl Contents {
    /// Removes the run's own entries, and the directory if it is empty then.
    pub(crate) fn remove(mut self, directory: &Path) -> Result<(), TrainError> {
        self.own.sort_by_key(|(_, path)| removal_order(path)); // after a kill, the rest is still a run directory
        for (kind, path) in &self.own {
            match kind {
                EntryKind::File | EntryKind::TemporaryFile => fs::remove_file(path).map_err(at(path))?,
                _ => remove_checkpoint(path, *kind)?,
            }
        }
        match fs::remove_dir(directory) {
            Err(error) if ![NotFound, DirectoryNotEmpty].contains(&error.kind()) => Err(at(directory)(error)),
            _ => Ok(()),
        }
    }

    /// Returns the first foreign entry whose name also exists in `directory`.
    pub(crate) fn first_conflict(&self, directory: &Path) -> Option<&PathBuf> {
        let exists = |path: &&PathBuf| {
            path.file_name().is_some_and(|name| directory.join(name).symlink_metadata().is_ok())
        };
        self.foreign.iter().find(exists)
    }

    /// Returns true if a run cannot be resumed and has nothing to lose: no checkpoint, no foreign entry, not complete.
    pub(crate) fn is_unstarted(&self) -> bool {
        self.foreign.is_empty() && !self.has_checkpoints() && !self.is_complete()
    }

    /// Returns true for a run without checkpoints that was not renamed, but has all other files.
    pub(crate) fn is_complete(&self) -> bool {
        let has = |name: &&str| self.own.iter().any(|(_, path)| path.ends_with(name));
        !self.has_checkpoints() && [TRAINER_STATE, ALL_RESULTS, CARD].iter().all(has)
    }

    pub(crate) fn has_checkpoints(&self) -> bool {
        let is_file = |kind: &EntryKind| matches!(kind, EntryKind::File | EntryKind::TemporaryFile);
        self.own.iter().any(|(kind, _)| !is_file(kind))
    }
}

fn removal_order(path: &Path) -> usize {
    [METRICS, RECIPE, LOCK, REPLACED]
        .iter()
        .position(|name| path.ends_with(name))
        .map_or(0, |index| index + 1)
}

/// Returns the entries of a directory, sorted by name; no entries if it does not exist.
fn entries(directory: &Path) -> Result<Vec<Entry>, TrainError> {
    let iterator = match fs::read_dir(directory) {
        Err(error) if error.kind() == NotFound => return Ok(vec![]),
        other => other.map_err(at(directory))?,
    };
    let entry = |entry: fs::DirEntry| {
        let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
        entry.file_type().map(|file_type| Entry { name, path, file_type })
    };
    let entries = iterator.map(|result| result.and_then(entry)).collect::<Result<Vec<_>, _>>();
    let mut entries = entries.map_err(at(directory))?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn is_run(entries: &[Entry], stage: RunStage) -> bool {
    let has = |name: &&str| entries.iter().any(|entry| entry.name == *name && entry.file_type.is_file());
    let all_are =
        |is_own: fn(EntryKind) -> bool| entries.iter().all(|entry| is_own(kind(&entry.name, stage)));
    let is_marked = match stage {
        RunStage::Finished => [RECIPE, METRICS, TRAINER_STATE].iter().all(has),
        RunStage::Unfinished => {
            [RECIPE, METRICS].iter().all(has) || has(&LOCK) && all_are(|kind| kind != EntryKind::Foreign)
        }
    };
    is_marked || all_are(|kind| kind == EntryKind::Checkpoint)
}

fn classify(directory: &Path, entries: Vec<Entry>, stage: RunStage) -> Result<Contents, TrainError> {
    let mut contents = Contents::default();
    for entry in entries {
        match kind(&entry.name, stage) {
            EntryKind::Foreign if is_mount(directory, &entry.path) => return Err(foreign(entry.path)),
            EntryKind::Foreign => contents.foreign.push(entry.path),
            EntryKind::File | EntryKind::TemporaryFile if !entry.file_type.is_file() => {
                return Err(foreign(entry.path));
            }
            kind @ (EntryKind::File | EntryKind::TemporaryFile) => contents.own.push((kind, entry.path)),
            kind => {
                checkpoint_files(&entry.path, entry.file_type, kind)?;
                contents.own.push((kind, entry.path));
            }
        }
    }
    Ok(contents)
}

/// Returns the files of a checkpoint. Fails if it has other entries.
fn checkpoint_files(path: &Path, file_type: FileType, kind: EntryKind) -> Result<Vec<Entry>, TrainError> {
    if !file_type.is_dir() {
        return Err(foreign(path));
    }
    let files = entries(path)?;
    let is_own = |entry: &&Entry| entry.file_type.is_file() && is_checkpoint_file(&entry.name, kind);
    if let Some(entry) = files.iter().find(|entry| !is_own(entry)) {
        return Err(foreign(&entry.path));
    }
    let has = |name: &str| files.iter().any(|entry| entry.name == name);
    let is_recognized = match kind {
        EntryKind::ReplacedCheckpoint => has(REPLACED),
        EntryKind::TemporaryCheckpoint => true,
        _ => has(STATE) || has(OPTIMIZER),
    };
    if is_recognized || files.is_empty() { Ok(files) } else { Err(foreign(path)) }
}

fn foreign(path: impl Into<PathBuf>) -> TrainError {
    TrainError::Foreign { path: path.into() }
}

/// Returns true for a mount point, which cannot be renamed.
#[cfg(unix)]
fn is_mount(directory: &Path, entry: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.symlink_metadata().map(|metadata| metadata.dev()).ok();
    device(directory) != device(entry)
}

#[cfg(not(unix))]
fn is_mount(_directory: &Path, _entry: &Path) -> bool {
    false
}
