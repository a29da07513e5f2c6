//! The directories that a run writes: `OUT`, `OUT.partial`, and the names next to them that it needs for a moment.

use std::fs;
use std::path::{Path, PathBuf};

use super::atomic::{refuse_unless_replaced, restore, sibling};
use super::contents::{self, Contents, is_replaced};
use super::lock;
use super::run_files::Stage;
use crate::error::{TrainError, at};

/// What to do when the output directory holds a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExisting {
    /// Refuse before training begins.
    #[default]
    Refuse,
    /// Replace the files of that run when the new run is complete.
    Replace,
}

/// Where a run writes.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) output_dir: PathBuf,
    pub(crate) partial_dir: PathBuf,
}

/// What earlier runs left there.
#[derive(Debug)]
pub(crate) struct Found {
    output: Option<Contents>,
    pub(crate) partial: Option<Contents>,
}

impl Places {
    /// The places of a run with this output directory.
    pub(crate) fn of(output_dir: &Path) -> Result<Self, TrainError> {
        let output_dir = with_name(output_dir)?;
        let partial_dir = sibling(&output_dir, "partial");
        Ok(Self { output_dir, partial_dir })
    }

    /// `OUT.partial.tmp`: checkpoints of an earlier run that are being copied.
    pub(crate) fn aside(&self) -> PathBuf {
        sibling(&self.partial_dir, "tmp")
    }

    /// Reads the directories. Fails if another process is training there, or if there is anything that a run can neither
    /// replace nor keep.
    pub(crate) fn examine(&self) -> Result<Found, TrainError> {
        lock::refuse_busy(&self.partial_dir)?;
        let old = sibling(&self.output_dir, "old");
        let is_interrupted = self.output_dir.symlink_metadata().is_err() && is_replaced(&old);
        let output_dir = if is_interrupted { &old } else { &self.output_dir };
        let output = contents::read(output_dir, Stage::Finished)?;
        let partial = contents::read(&self.partial_dir, Stage::Unfinished)?;
        if !is_replaced(&self.aside()) {
            contents::read(&self.aside(), Stage::Unfinished)?;
        }
        let needed = [(&output, &self.output_dir), (&partial, &self.partial_dir)];
        for (_, directory) in needed.into_iter().filter(|(contents, _)| contents.is_some()) {
            refuse_unless_replaced(&sibling(directory, "old"))?;
        }
        let conflict = output.as_ref().and_then(|output| output.first_conflict(&self.partial_dir));
        match conflict {
            Some(path) => Err(TrainError::Foreign { path: path.clone() }),
            None => Ok(Found { output, partial }),
        }
    }

    /// Undoes a replacement that a kill interrupted.
    pub(crate) fn restore(&self) -> Result<(), TrainError> {
        restore(&self.output_dir, Stage::Finished)?;
        restore(&self.partial_dir, Stage::Unfinished)
    }

    /// Refuses an output directory that holds a run, if it must not be replaced.
    pub(crate) fn refuse_output(&self, found: &Found, on_existing: OnExisting) -> Result<(), TrainError> {
        let is_refused = on_existing == OnExisting::Refuse && found.output.is_some();
        let path = self.output_dir.clone();
        if is_refused { Err(TrainError::OutputExists { path }) } else { Ok(()) }
    }

    /// Refuses an unfinished run, if it must not be replaced.
    pub(crate) fn refuse_partial(&self, found: &Found, on_existing: OnExisting) -> Result<(), TrainError> {
        let is_refused = on_existing == OnExisting::Refuse && found.partial.is_some();
        let path = self.partial_dir.clone();
        if is_refused { Err(TrainError::Unfinished { path }) } else { Ok(()) }
    }
}

/// Returns the path with a name, from which siblings are named: not `.` or `..`, and not a link, which a rename would
/// replace.
fn with_name(path: &Path) -> Result<PathBuf, TrainError> {
    let has_name = path.file_name().is_some() && !path.is_symlink();
    if has_name { Ok(path.to_owned()) } else { fs::canonicalize(path).map_err(at(path)) }
}

/// Whether both are names of one directory that exists.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}
