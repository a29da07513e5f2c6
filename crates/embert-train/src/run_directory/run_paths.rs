//! The directories of a run: `OUT`, `OUT.partial`, and temporary directories next to them.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{check_replaced, restore, sibling};
use super::contents::{self, Contents, is_replaced};
use super::lock;
use super::run_files::RunStage;
use crate::error::{TrainError, at};

/// The behavior if the output directory contains a run. Default: [`Refuse`](Self::Refuse).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExisting {
    /// Fail before training.
    #[default]
    Refuse,
    /// Replace the files of the old run when the new run is complete.
    Replace,
}

/// The paths of a run.
#[derive(Debug, Clone)]
pub(crate) struct RunPaths {
    pub(crate) output_dir: PathBuf,
    pub(crate) partial_dir: PathBuf,
}

/// The contents of these directories from earlier runs.
#[derive(Debug)]
pub(crate) struct ExistingRuns {
    output: Option<Contents>,
    pub(crate) partial: Option<Contents>,
}

impl RunPaths {
    /// Returns the paths of a run with this output directory.
    pub(crate) fn of(output_dir: &Path) -> Result<Self, TrainError> {
        let output_dir = with_name(output_dir)?;
        let partial_dir = sibling(&output_dir, "partial");
        Ok(Self { output_dir, partial_dir })
    }

    /// Returns `OUT.partial.tmp`, for checkpoints during a copy.
    pub(crate) fn copy_dir(&self) -> PathBuf {
        sibling(&self.partial_dir, "tmp")
    }

    /// Reads the directories. Fails if another process is training there, or if a run can neither replace nor keep an
    /// entry.
    pub(crate) fn inspect(&self) -> Result<ExistingRuns, TrainError> {
        lock::check_unlocked(&self.partial_dir)?;
        let old = sibling(&self.output_dir, "old");
        let is_interrupted = self.output_dir.symlink_metadata().is_err() && is_replaced(&old);
        let output_dir = if is_interrupted { &old } else { &self.output_dir };
        let output = contents::read(output_dir, RunStage::Finished)?;
        let partial = contents::read(&self.partial_dir, RunStage::Unfinished)?;
        if !is_replaced(&self.copy_dir()) {
            contents::read(&self.copy_dir(), RunStage::Unfinished)?;
        }
        let needed = [(&output, &self.output_dir), (&partial, &self.partial_dir)];
        for (_, directory) in needed.into_iter().filter(|(contents, _)| contents.is_some()) {
            check_replaced(&sibling(directory, "old"))?;
        }
        let conflict = output.as_ref().and_then(|output| output.first_conflict(&self.partial_dir));
        match conflict {
            Some(path) => Err(TrainError::Foreign { path: path.clone() }),
            None => Ok(ExistingRuns { output, partial }),
        }
    }

    /// Undoes an interrupted replacement.
    pub(crate) fn restore(&self) -> Result<(), TrainError> {
        restore(&self.output_dir, RunStage::Finished)?;
        restore(&self.partial_dir, RunStage::Unfinished)
    }

    /// Fails if the output directory contains a run that must not be replaced.
    pub(crate) fn check_output(
        &self,
        existing: &ExistingRuns,
        on_existing: OnExisting,
    ) -> Result<(), TrainError> {
        let is_refused = on_existing == OnExisting::Refuse && existing.output.is_some();
        let path = self.output_dir.clone();
        if is_refused { Err(TrainError::OutputExists { path }) } else { Ok(()) }
    }

    /// Fails if there is an unfinished run that must not be replaced.
    pub(crate) fn check_partial(
        &self,
        existing: &ExistingRuns,
        on_existing: OnExisting,
    ) -> Result<(), TrainError> {
        match &existing.partial {
            Some(partial) if on_existing == OnExisting::Refuse => Err(self.unfinished(partial)),
            _ => Ok(()),
        }
    }

    /// Returns the error for an unfinished run. Without a checkpoint, it cannot be resumed.
    fn unfinished(&self, partial: &Contents) -> TrainError {
        let Self { output_dir, partial_dir } = self.clone();
        match partial.foreign.first() {
            _ if partial.is_complete() => TrainError::Unrenamed { partial_dir, output_dir },
            Some(path) if !partial.has_checkpoints() => TrainError::Foreign { path: path.clone() },
            _ => TrainError::Unfinished { path: partial_dir },
        }
    }
}

/// Resolves `.`, `..` and links, so that the path has a name and a rename does not replace a link.
///
/// Removes `/` and `/.` at the end first: the system follows a link that ends with them, so it would not look like one.
fn with_name(path: &Path) -> Result<PathBuf, TrainError> {
    let path = path.components().collect::<PathBuf>();
    let has_name = path.file_name().is_some() && !path.is_symlink();
    if has_name { Ok(path) } else { fs::canonicalize(&path).map_err(at(path)) }
}

/// Returns true if both paths lead to the same existing directory.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}
