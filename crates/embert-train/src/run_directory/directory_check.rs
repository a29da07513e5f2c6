//! Checks and repairs an output directory before a run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::run_files::{ALL_RESULTS, TRAINER_STATE};
use super::run_paths::{OnExisting, RunPaths};
use super::{RunDirectory, lock, recovery};
use crate::error::TrainError;

impl RunDirectory {
    /// Checks that a new run can start in the output directory. Writes nothing.
    ///
    /// # Errors
    /// - [`TrainError::NotARun`] if `output_dir`, or a directory next to it that the run needs, has other files.
    /// - [`TrainError::Foreign`] for an entry that the run cannot keep.
    /// - [`TrainError::OutputExists`], [`TrainError::Unfinished`] and [`TrainError::Unrenamed`] if a run must not be
    ///   replaced.
    /// - [`TrainError::Busy`] if another process is training there.
    pub fn check(output_dir: &Path, on_existing: OnExisting) -> Result<(), TrainError> {
        let paths = RunPaths::of(output_dir)?;
        let existing = paths.inspect()?;
        paths.check_output(&existing, on_existing)?;
        paths.check_partial(&existing, on_existing)
    }

    /// Returns true if the directory contains a finished run.
    pub fn is_finished(output_dir: &Path) -> bool {
        output_dir.join(TRAINER_STATE).is_file()
    }

    /// Returns the results of a finished run; `None` if the directory has none.
    pub fn results(output_dir: &Path) -> Option<Map<String, Value>> {
        serde_json::from_slice(&fs::read(output_dir.join(ALL_RESULTS)).ok()?).ok()
    }

    /// Repairs `OUT.partial` after a kill. Returns the path of this directory; it may contain checkpoints.
    ///
    /// # Errors
    /// - [`TrainError::Busy`] if another process is training there.
    /// - [`TrainError::NotARun`] and [`TrainError::Foreign`] if it is not a run directory.
    /// - [`TrainError::Io`] if a file cannot be renamed or removed.
    pub fn repair(output_dir: &Path) -> Result<PathBuf, TrainError> {
        let paths = RunPaths::of(output_dir)?;
        lock::check_unlocked(&paths.partial_dir)?;
        paths.restore()?;
        recovery::repair_unfinished(&paths.partial_dir)?;
        recovery::remove_copy(&paths.copy_dir())?;
        Ok(paths.partial_dir)
    }
}
