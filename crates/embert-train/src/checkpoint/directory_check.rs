//! Checks of an output directory before a run: whether a run may start there, has finished there, or was killed there.

use std::path::{Path, PathBuf};

use super::places::{OnExisting, Places};
use super::run_files::TRAINER_STATE;
use super::{RunDirectory, lock, takeover};
use crate::error::TrainError;

impl RunDirectory {
    /// Refuses an output directory in which a new run cannot start. Writes nothing.
    ///
    /// # Errors
    /// [`TrainError::NotARun`] if `output_dir`, or a directory next to it that the run needs, holds files that no run
    /// wrote; [`TrainError::Foreign`] for an entry that cannot be kept; [`TrainError::OutputExists`] and
    /// [`TrainError::Unfinished`] if there is a run that must not be replaced; [`TrainError::Busy`] if another process
    /// is training there.
    pub fn check(output_dir: &Path, on_existing: OnExisting) -> Result<(), TrainError> {
        let places = Places::of(output_dir)?;
        let found = places.examine()?;
        places.refuse_output(&found, on_existing)?;
        places.refuse_partial(&found, on_existing)
    }

    /// Returns true if a finished run is in this directory.
    pub fn is_finished(output_dir: &Path) -> bool {
        output_dir.join(TRAINER_STATE).is_file()
    }

    /// Repairs what a kill left in `OUT.partial`, and returns the path of that directory, to look for a checkpoint there.
    ///
    /// # Errors
    /// [`TrainError::Busy`] if another process is writing the run; [`TrainError::NotARun`] and [`TrainError::Foreign`]
    /// for a directory that no run wrote; [`TrainError::Io`] if a name cannot be changed.
    pub fn mend(output_dir: &Path) -> Result<PathBuf, TrainError> {
        let places = Places::of(output_dir)?;
        lock::refuse_busy(&places.partial_dir)?;
        places.restore()?;
        takeover::mend_unfinished(&places.partial_dir)?;
        takeover::remove_aside(&places.aside())?;
        Ok(places.partial_dir)
    }
}
