//! The file lock `OUT.partial/.lock`: only one process writes a run. The operating system releases it when
//! the process ends.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::run_files::LOCK;
use crate::error::{TrainError, at};

/// Locks a run directory until the file is dropped. Does nothing on a file system without locks.
pub(crate) fn lock(run: &Path) -> Result<File, TrainError> {
    let path = run.join(LOCK);
    let file = File::create(&path).map_err(at(&path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(TrainError::Busy { path: run.to_owned() }),
        _ => Ok(file),
    }
}

/// Fails if another process holds the lock.
pub(crate) fn check_unlocked(run: &Path) -> Result<(), TrainError> {
    match File::open(run.join(LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => Err(TrainError::Busy { path: run.to_owned() }),
        _ => Ok(()),
    }
}

/// Removes the lock file. The caller still holds the lock.
pub(crate) fn remove(run: &Path) -> Result<(), TrainError> {
    let path = run.join(LOCK);
    fs::remove_file(&path).map_err(at(path))
}
