//! One process writes a run: `OUT.partial/.lock` is locked while it does, and free again when the process ends, however.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::run_files::LOCK;
use crate::error::{TrainError, at};

/// Locks a run directory until the file is dropped. File systems without locks are taken as they are.
pub(crate) fn lock(run: &Path) -> Result<File, TrainError> {
    let path = run.join(LOCK);
    let file = File::create(&path).map_err(at(&path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(TrainError::Busy { path: run.to_owned() }),
        _ => Ok(file),
    }
}

/// Refuses a run directory that another process is writing.
pub(crate) fn refuse_busy(run: &Path) -> Result<(), TrainError> {
    match File::open(run.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => Err(TrainError::Busy { path: run.to_owned() }),
        _ => Ok(()),
    }
}

/// Removes the file of a lock that is still held.
pub(crate) fn remove(run: &Path) -> Result<(), TrainError> {
    let path = run.join(LOCK);
    fs::remove_file(&path).map_err(at(path))
}
