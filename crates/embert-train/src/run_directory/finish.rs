//! The end of a run: the files of its results, and the name of its output directory.

use std::path::{Path, PathBuf};

use super::atomic::{flush_own, replace_run, write_file};
use super::contents::{self, Contents};
#[cfg(feature = "curves")]
use super::curves;
use super::model_card::ModelCard;
use super::results::{write_json, write_results};
use super::rotation::delete_other_checkpoints;
use super::run_files::{CARD, RunStage, TRAINER_STATE};
use super::run_paths::RunPaths;
use super::run_summary::RunSummary;
use super::trainer_state::finished_state;
use super::{RunDirectory, lock, recovery};
use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::event::TrainReport;
use crate::model::Model;

impl RunDirectory {
    /// Writes the files of a finished run, and renames the directory to the output directory. Returns its path.
    ///
    /// `evaluation` is the last evaluation, for `eval_results.json` and the model card.
    ///
    /// # Errors
    /// [`TrainError::Io`], [`TrainError::Model`] and [`TrainError::Text`] if a file cannot be written;
    /// [`TrainError::NotRenamed`] if the directory cannot be renamed. All files are then still in
    /// [`partial_dir`](Self::partial_dir).
    pub fn finish(
        self,
        model: &Model,
        report: &TrainReport,
        evaluation: Option<&Evaluation>,
        card: &ModelCard,
    ) -> Result<PathBuf, TrainError> {
        recovery::repair_in_progress(&self.paths.partial_dir)?;
        self.save_model(&self.paths.partial_dir, model)?;
        self.write_last_files(report, evaluation, card)?;
        let has_best = self.best_checkpoint(report.best, None).is_some();
        let only_kept = report.best.filter(|_| has_best && self.save_total_limit() == Some(1));
        let output_dir = self.rename()?;
        if let Some(best) = only_kept {
            let _ = delete_other_checkpoints(&output_dir, best.step); // the run is complete, also if one stays
        }
        Ok(output_dir)
    }

    /// Writes the trainer state, the curves, the results and the model card.
    fn write_last_files(
        &self,
        report: &TrainReport,
        evaluation: Option<&Evaluation>,
        card: &ModelCard,
    ) -> Result<(), TrainError> {
        let directory = &self.paths.partial_dir;
        let best = self.best_checkpoint(report.best, None);
        let state = finished_state(self.intervals(report.plan.total_steps), report, best);
        write_json(directory, TRAINER_STATE, &state)?;
        #[cfg(feature = "curves")]
        curves::write(directory, &report.log_history)?;
        let labels = self.model_config.label_names();
        write_results(directory, report, evaluation, &self.more_results, &labels)?;
        let summary = RunSummary {
            report,
            evaluation,
            config: &self.model_config,
            recipe: &self.recipe,
            truncation: self.tokenizer.truncation(),
            is_adapter: self.base_model_name_or_path.is_some(),
        };
        write_file(&directory.join(CARD), card.render(&summary).as_bytes())
    }

    /// Flushes the run and renames it to the output directory. Returns its path.
    fn rename(self) -> Result<PathBuf, TrainError> {
        let Self { paths: RunPaths { output_dir, partial_dir }, lock, metrics, .. } = self;
        let renamed = flush(&partial_dir)
            .and_then(|()| lock::remove(&partial_dir)) // last, because it keeps other processes out
            .map(|()| drop((lock, metrics))) // Windows cannot rename a directory with open files
            .and_then(|()| rename_to_output(&partial_dir, &output_dir));
        match renamed {
            Ok(()) => Ok(output_dir),
            Err(error) => Err(TrainError::NotRenamed { partial_dir, source: Box::new(error) }),
        }
    }
}

/// Flushes a complete run to disk.
fn flush(partial_dir: &Path) -> Result<(), TrainError> {
    flush_own(partial_dir, &contents::read_in_progress(partial_dir)?)
}

/// Renames a complete run to the output directory.
fn rename_to_output(partial_dir: &Path, output_dir: &Path) -> Result<(), TrainError> {
    let replaced: Option<Contents> = contents::read(output_dir, RunStage::Finished)?;
    replace_run(partial_dir, output_dir, replaced)
}
