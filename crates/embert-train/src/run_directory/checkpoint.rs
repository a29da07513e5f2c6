//! Opens checkpoints to resume from.

use std::path::{Path, PathBuf};

use burn::module::Param;
use burn::tensor::Tensor;
use embert_inference::device_of;
use embert_kernels::TableRows;
use embert_model::{Parameter, ParameterVisitor, visit_parameters};

use super::optimizer_file;
use super::rotation::{checkpoint_dir, checkpoint_steps};
use super::run_files::OPTIMIZER;
use super::state_file::StateFile;
use crate::error::TrainError;
use crate::model::Model;
use crate::optimizer_state::OptimizerState;
use crate::resume_state::ResumeState;
use crate::state::TrainState;

/// A complete `checkpoint-N`: every file matches its SHA-256.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    recipe: String,
    best_model: Option<PathBuf>,
    state: TrainState,
}

impl Checkpoint {
    /// Opens a checkpoint, and checks the SHA-256 of every file. With `load_best_model_at_end`, also checks the
    /// checkpoint of the best model.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] and [`TrainError::Io`] with the missing or damaged file.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let file = StateFile::read(path)?;
        let state = file.state(path)?;
        let best_model = match file.best_model {
            Some(step) if step == state.step => Some(path.to_owned()),
            Some(step) => {
                let other = checkpoint_dir(path.parent().unwrap_or(path), step);
                StateFile::read(&other)?;
                Some(other)
            }
            None => None,
        };
        Ok(Self { path: path.to_owned(), state, recipe: file.recipe, best_model })
    }

    /// Returns the newest complete checkpoint in `run_dir`, and an error for each newer one.
    ///
    /// `run_dir` is the output directory, or `OUT.partial` for an unfinished run.
    ///
    /// # Errors
    /// [`TrainError::Io`] if the directory cannot be read.
    pub fn newest(run_dir: &Path) -> Result<(Option<Self>, Vec<TrainError>), TrainError> {
        let mut damaged = vec![];
        if !run_dir.is_dir() {
            return Ok((None, damaged));
        }
        for step in checkpoint_steps(run_dir)?.into_iter().rev() {
            match Self::open(&checkpoint_dir(run_dir, step)) {
                Ok(found) => return Ok((Some(found), damaged)),
                Err(error) => damaged.push(error),
            }
        }
        Ok((None, damaged))
    }

    /// Returns its directory, which contains the model.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the run directory.
    pub fn run_dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Returns the recipe of the run as TOML.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// Returns the state of the run.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// Returns the directory of the best model, with `load_best_model_at_end`.
    pub fn best_model(&self) -> Option<&Path> {
        self.best_model.as_deref()
    }

    /// Reads the state for [`fit_from`](crate::fit_from).
    ///
    /// `model` is loaded from [`path`](Self::path), and `best_model` from [`best_model`](Self::best_model), without
    /// autodiff.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] if the optimizer state does not fit the model.
    pub fn resume(&self, model: &Model, best_model: Option<Model>) -> Result<ResumeState, TrainError> {
        let optimizer = optimizer_file::read(&self.path, &device_of(model).inner())?;
        self.check_sizes(&optimizer, model)?;
        Ok(ResumeState { state: self.state.clone(), optimizer, best_model })
    }

    /// Checks that every moment has the size of its parameter.
    fn check_sizes(&self, optimizer: &OptimizerState, model: &Model) -> Result<(), TrainError> {
        let mut check = SizeCheck { optimizer, num_matches: 0, wrong: None };
        visit_parameters(model, &mut check);
        let reason = match (check.wrong, check.num_matches == optimizer.parameters.len()) {
            (Some(parameter), _) => {
                format!("the state of {parameter} does not have the size of the parameter")
            }
            (None, false) => "it has parameters that the model does not have".to_owned(),
            (None, true) => return Ok(()),
        };
        Err(TrainError::Checkpoint { path: self.path.join(OPTIMIZER), reason })
    }
}

struct SizeCheck<'a> {
    optimizer: &'a OptimizerState,
    num_matches: usize,
    wrong: Option<String>,
}

impl ParameterVisitor for SizeCheck<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, _param: &Param<Tensor<D>>) {
        let Some(state) = self.optimizer.parameters.get(&parameter.path) else { return };
        self.num_matches += 1;
        let size = match &state.rows {
            Some(rows) => size_of_rows(rows, &parameter.shape),
            None => Some(parameter.num_elements()),
        };
        let sizes = [&state.moments.mean, &state.moments.mean_of_squares].map(|m| m.shape().num_elements());
        if sizes.map(Some) != [size; 2] {
            self.wrong = Some(parameter.path);
        }
    }
}

/// Returns the number of values in rows of a table, `None` if it does not have them.
fn size_of_rows(rows: &TableRows, shape: &[usize]) -> Option<usize> {
    let &[table_rows, columns] = shape else { return None };
    let in_table = rows.as_slice().last().is_some_and(|&last| (last as usize) < table_rows);
    in_table.then_some(rows.as_slice().len() * columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_outside_of_a_table_have_no_size() {
        let size = |shape: &[usize]| size_of_rows(&TableRows::new([1, 4]), shape);
        assert_eq!([size(&[5, 3]), size(&[4, 3]), size(&[5]), size(&[5, 3, 1])], [Some(6), None, None, None]);
    }
}
