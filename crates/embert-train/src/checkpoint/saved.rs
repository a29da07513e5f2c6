//! A complete checkpoint, and the state from which a run resumes.

use std::path::{Path, PathBuf};

use burn::module::Param;
use burn::tensor::Tensor;
use embert_inference::device_of;
use embert_model::{Parameter, ParameterVisitor, visit_parameters};

use super::optimizer_file;
use super::rotation::{checkpoint, steps};
use super::run_files::OPTIMIZER;
use super::state_file::StateFile;
use crate::error::TrainError;
use crate::model::Model;
use crate::optimizer::OptimizerState;
use crate::resume::Resume;
use crate::state::TrainState;

/// A `checkpoint-N` whose files all match their hashes.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    recipe: String,
    best_model: Option<PathBuf>,
    state: TrainState,
}

impl Checkpoint {
    /// Compares every file with its hash, also those of the best model that the run needs in the end.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] and [`TrainError::Io`] name the file that is missing or damaged.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let file = StateFile::read(path)?;
        let state = file.state(path)?;
        let best_model = match file.best_model {
            Some(step) if step == state.step => Some(path.to_owned()),
            Some(step) => {
                let other = checkpoint(path.parent().unwrap_or(path), step);
                StateFile::read(&other)?;
                Some(other)
            }
            None => None,
        };
        Ok(Self { path: path.to_owned(), state, recipe: file.recipe, best_model })
    }

    /// Returns the newest complete checkpoint of a run, and an error for each newer one. `run_dir` is the directory of a
    /// run, or the `.partial` one of a run that is not finished.
    ///
    /// # Errors
    /// [`TrainError::Io`] if the directory cannot be read.
    pub fn newest(run_dir: &Path) -> Result<(Option<Self>, Vec<TrainError>), TrainError> {
        let mut damaged = vec![];
        if !run_dir.is_dir() {
            return Ok((None, damaged));
        }
        for step in steps(run_dir)?.into_iter().rev() {
            match Self::open(&checkpoint(run_dir, step)) {
                Ok(found) => return Ok((Some(found), damaged)),
                Err(error) => damaged.push(error),
            }
        }
        Ok((None, damaged))
    }

    /// Its directory: a model to load.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory that it is in.
    pub fn run_dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// The resolved recipe of its run, as TOML.
    pub fn recipe(&self) -> &str {
        &self.recipe
    }

    /// The state of its run.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// The directory of the best model, where the run is to end with it.
    pub fn best_model(&self) -> Option<&Path> {
        self.best_model.as_deref()
    }

    /// Returns what [`fit_from`](crate::fit_from) needs in addition to the `model` from [`path`](Self::path);
    /// `best_model` is the one from [`best_model`](Self::best_model), without autodiff.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] if the optimizer's state is not of this model.
    pub fn resume(&self, model: &Model, best_model: Option<Model>) -> Result<Resume, TrainError> {
        let optimizer = optimizer_file::read(&self.path, &device_of(model).inner())?;
        self.check(&optimizer, model)?;
        Ok(Resume { state: self.state.clone(), optimizer, best_model })
    }

    /// Every moment has the size of its parameter.
    fn check(&self, optimizer: &OptimizerState, model: &Model) -> Result<(), TrainError> {
        let mut fits = Fits { optimizer, found: 0, wrong: None };
        visit_parameters(model, &mut fits);
        let reason = match (fits.wrong, fits.found == optimizer.parameters.len()) {
            (Some(parameter), _) => format!("the state of {parameter} has another size than the parameter"),
            (None, false) => "there is the state of parameters that the model does not have".to_owned(),
            (None, true) => return Ok(()),
        };
        Err(TrainError::Checkpoint { path: self.path.join(OPTIMIZER), reason })
    }
}

struct Fits<'a> {
    optimizer: &'a OptimizerState,
    found: usize,
    wrong: Option<String>,
}

impl ParameterVisitor for Fits<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, _param: &Param<Tensor<D>>) {
        let Some(state) = self.optimizer.parameters.get(&parameter.path) else { return };
        self.found += 1;
        let size = parameter.num_elements();
        let sizes = [&state.moments.mean, &state.moments.mean_of_squares].map(|m| m.shape().num_elements());
        if sizes != [size; 2] {
            self.wrong = Some(parameter.path);
        }
    }
}
