//! The run directory: the files of a run, with the names that transformers and the Hub use.
//!
//! During training, the files are in `OUT.partial`, next to the output directory `OUT`: `recipe.toml`,
//! `metrics.jsonl` and `checkpoint-N/`. At the end, the run adds the other files, flushes all to disk, and renames
//! `OUT.partial` to `OUT`.
//!
//! A `checkpoint-N/` contains a model for transformers or an adapter for PEFT. To resume, it also contains
//! `optimizer.safetensors` and `state.json`, with the SHA-256 of every file. It is written with a temporary name,
//! flushed and renamed, so that it is complete or absent.

mod atomic;
mod checkpoint;
mod checksum;
mod contents;
#[cfg(feature = "curves")]
mod curves;
mod directory_check;
mod finish;
mod lock;
mod metrics_log;
mod model_card;
mod model_card_metrics;
mod model_card_use;
mod model_directory;
mod optimizer_file;
mod recovery;
mod results;
mod rotation;
mod run_files;
mod run_paths;
mod run_settings;
mod run_summary;
mod state_file;
mod trainer_state;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use embert_model::{ADAPTER_MODEL_CONFIG, AutoConfig, save_adapter, save_pretrained};
use embert_text::Tokenizer;
use serde_json::{Map, Value};

use crate::best_model::BestModel;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::error::{TrainError, at};
use crate::event::{Event, RunPlan, Snapshot};
use crate::log_entry::LogEntry;
use crate::model::Model;
use crate::state::TrainState;
use atomic::{write_checkpoint, write_file};
pub use checkpoint::Checkpoint;
use metrics_log::MetricsLog;
pub use model_card::ModelCard;
pub use model_directory::write_model_directory;
use results::{write, write_json};
use rotation::{checkpoint_dir, delete_old_checkpoints};
pub use run_files::{FILES_LIKE_DATA, published_files};
use run_files::{RECIPE, RunStage, STATE, TRAINER_STATE};
pub use run_paths::OnExisting;
use run_paths::{RunPaths, is_same};
pub use run_settings::RunSettings;
use state_file::StateFile;
use trainer_state::{Intervals, RunProgress, trainer_state};

/// The directory of a run in progress.
///
/// Pass every event of [`fit`](crate::fit) to [`record`](Self::record), and call [`finish`](Self::finish) at the end.
#[derive(Debug)]
pub struct RunDirectory {
    paths: RunPaths,
    origin: Origin,
    /// `None` before the start of a run that continues in its own directory.
    metrics: Option<MetricsLog>,
    /// Held until the run ends.
    lock: File,
    recipe: String,
    config: TrainConfig,
    model_config: AutoConfig,
    tokenizer: Tokenizer,
    /// The base model, if the run trains an adapter.
    base_model_name_or_path: Option<String>,
    /// More results of the evaluation.
    more_results: Map<String, Value>,
    plan: Option<RunPlan>,
    last_checkpoint: Option<PathBuf>,
    /// The best evaluation whose model is in a checkpoint, with `load_best_model_at_end`.
    saved_best: Option<BestModel>,
    has_steps: bool,
}

/// The origin of the partial directory.
#[derive(Debug, Clone)]
enum Origin {
    /// New, for a new run.
    Created,
    /// New, for a resumed run, with copies of its checkpoints up to this step.
    Copied { step: usize, log: Vec<LogEntry> },
    /// The directory of the interrupted run.
    Continued { step: usize, log: Vec<LogEntry> },
}

impl RunDirectory {
    /// Creates the directory of a new run.
    ///
    /// # Errors
    /// The errors of [`check`](Self::check), and [`TrainError::Io`].
    pub fn create(
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        Self::check(output_dir, on_existing)?;
        let paths = RunPaths::of(output_dir)?;
        paths.restore()?;
        if let Some(contents) = paths.inspect()?.partial {
            contents.remove(&paths.partial_dir)?;
        }
        Self::open(paths, Origin::Created, settings)
    }

    /// Opens the directory of a resumed run: the run's own directory, or a new one with copies of its checkpoints.
    ///
    /// When the run starts, it renames later checkpoints to `checkpoint-N.superseded`.
    ///
    /// # Errors
    /// The errors of [`create`](Self::create), except that the run's own directory may exist.
    pub fn resume(
        from: &Checkpoint,
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        let paths = RunPaths::of(output_dir)?;
        let (step, log) = (from.state().step(), from.state().log_history().to_vec());
        let existing = paths.inspect()?;
        let origin = if is_same(from.run_dir(), &paths.partial_dir) {
            Origin::Continued { step, log }
        } else {
            if !is_same(from.run_dir(), &paths.output_dir) {
                paths.check_output(&existing, on_existing)?;
            }
            paths.check_partial(&existing, on_existing)?;
            recovery::copy_checkpoints(from.run_dir(), &paths, existing.partial, step)?;
            Origin::Copied { step, log }
        };
        let this = Self::open(paths, origin, settings)?;
        let saved_best = from.best_model().and(from.state().best());
        Ok(Self { last_checkpoint: Some(from.path().to_owned()), saved_best, ..this })
    }

    fn open(paths: RunPaths, origin: Origin, settings: RunSettings<'_>) -> Result<Self, TrainError> {
        let RunSettings { config, model_config, tokenizer, recipe } = settings;
        fs::create_dir_all(&paths.partial_dir).map_err(at(&paths.partial_dir))?;
        let lock = lock::lock(&paths.partial_dir)?;
        let metrics = match &origin {
            Origin::Created => Some(write_recipe_and_log(&paths.partial_dir, recipe, &[])?),
            Origin::Copied { log, .. } => Some(write_recipe_and_log(&paths.partial_dir, recipe, log)?),
            Origin::Continued { .. } => None, // the run may still fail before it starts
        };
        Ok(Self {
            paths,
            origin,
            metrics,
            lock,
            recipe: recipe.to_owned(),
            config: config.clone(),
            model_config: model_config.clone(),
            tokenizer: tokenizer.clone(),
            base_model_name_or_path: None,
            more_results: Map::new(),
            plan: None,
            last_checkpoint: None,
            saved_best: None,
            has_steps: false,
        })
    }

    /// Writes PEFT's adapter files instead of `model.safetensors`.
    pub fn with_adapter(mut self, base_model_name_or_path: &str) -> Self {
        self.base_model_name_or_path = Some(base_model_name_or_path.to_owned());
        self
    }

    /// Sets the decision thresholds that are saved with a multi-label model.
    ///
    /// # Errors
    /// The errors of [`AutoConfig::set_thresholds`].
    pub fn set_thresholds(&mut self, thresholds: Option<Vec<f32>>) -> Result<(), TrainError> {
        Ok(self.model_config.set_thresholds(thresholds)?)
    }

    /// Adds numbers to `eval_results.json` and `all_results.json`, such as those of a second evaluation.
    pub fn add_results(&mut self, results: Map<String, Value>) {
        self.more_results.extend(results);
    }

    /// Returns the directory of the run's files until it is finished.
    pub fn partial_dir(&self) -> &Path {
        &self.paths.partial_dir
    }

    /// Returns the newest checkpoint of the run.
    pub fn last_checkpoint(&self) -> Option<&Path> {
        self.last_checkpoint.as_deref()
    }

    /// Returns true if the newest checkpoint is that of this step.
    pub fn is_saved(&self, step: usize) -> bool {
        let name = checkpoint_dir(Path::new(""), step);
        self.last_checkpoint.as_deref().and_then(Path::file_name) == name.file_name()
    }

    /// Removes a directory that [`create`](Self::create) or [`resume`](Self::resume) made, if the run made no step. Does
    /// not change a directory that existed before.
    ///
    /// # Errors
    /// [`TrainError::Io`] if a file cannot be removed.
    pub fn discard_unstarted(self) -> Result<(), TrainError> {
        if self.has_steps || matches!(self.origin, Origin::Continued { .. }) {
            return Ok(());
        }
        drop((self.lock, self.metrics)); // Windows cannot remove open files
        match contents::read(&self.paths.partial_dir, RunStage::Unfinished)? {
            Some(contents) => contents.remove(&self.paths.partial_dir),
            None => Ok(()),
        }
    }

    /// Saves the log line or the checkpoint of an event of [`fit`](crate::fit). Returns the path of a new checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Io`], [`TrainError::Model`] and [`TrainError::Text`] if a file cannot be written.
    ///
    /// # Panics
    /// If the caller did not pass [`Event::Started`].
    pub fn record(&mut self, event: &Event<'_>) -> Result<Option<PathBuf>, TrainError> {
        match event {
            Event::Started(plan) => self.start(*plan)?,
            Event::Step(_) => self.record_step(),
            Event::Logged(entry) | Event::Evaluated(entry) => {
                self.metrics.as_mut().expect("a run starts before its first line").append(entry)?;
            }
            Event::CheckpointDue(snapshot) => return self.save_checkpoint(*snapshot).map(Some),
            _ => {}
        }
        Ok(None)
    }

    fn start(&mut self, plan: RunPlan) -> Result<(), TrainError> {
        self.plan = Some(plan);
        let directory = &self.paths.partial_dir;
        let log = match &self.origin {
            Origin::Created => &[][..],
            Origin::Copied { log, .. } => log,
            Origin::Continued { step, log } => {
                recovery::repair(directory)?;
                recovery::supersede_later_checkpoints(directory, *step)?;
                log
            }
        };
        self.metrics = Some(write_recipe_and_log(directory, &self.recipe, log)?);
        Ok(())
    }

    /// After the first step, the run keeps the copies of earlier checkpoints.
    fn record_step(&mut self) {
        if let (false, Origin::Copied { step, .. }) = (self.has_steps, &self.origin) {
            self.last_checkpoint = Some(checkpoint_dir(&self.paths.partial_dir, *step));
        }
        self.has_steps = true;
    }

    fn save_checkpoint(&mut self, snapshot: Snapshot<'_>) -> Result<PathBuf, TrainError> {
        let state = &self.with_saved_best(snapshot.state);
        let path = checkpoint_dir(&self.paths.partial_dir, state.step);
        write_checkpoint(&path, |directory| {
            self.write_checkpoint(directory, Snapshot { state, ..snapshot })
        })?;
        self.last_checkpoint = Some(path.clone());
        self.saved_best = state.best();
        if let Some(limit) = self.save_total_limit() {
            delete_old_checkpoints(&self.paths.partial_dir, limit, state.best().map(|best| best.step))?;
        }
        Ok(path)
    }

    /// Returns a state whose best model can be loaded. If its checkpoint could not be saved, it is the one before.
    fn with_saved_best(&self, state: &TrainState) -> TrainState {
        let mut state = state.clone();
        let is_saved = |best: BestModel| best.step == state.step || self.saved_best == Some(best);
        if self.config.load_best_model_at_end && !state.best().is_none_or(is_saved) {
            state.best_model.best = self.saved_best;
        }
        state
    }

    fn write_checkpoint(&self, directory: &Path, snapshot: Snapshot<'_>) -> Result<(), TrainError> {
        let Snapshot { model, optimizer, state } = snapshot;
        let plan = self.plan.as_ref().expect("a run starts before its first checkpoint");
        let (step, best) = (state.step, state.best());
        self.save_model(directory, model)?;
        optimizer_file::write(optimizer, directory)?;
        let progress = RunProgress { step, epoch: state.epoch, log_history: &state.log_history, best };
        let best_checkpoint = self.best_checkpoint(best, Some(step));
        let trainer_state = trainer_state(self.intervals(plan.total_steps), plan, progress, best_checkpoint);
        write_json(directory, TRAINER_STATE, &trainer_state)?;
        let best_model = best.filter(|_| self.config.load_best_model_at_end).map(|best| best.step);
        let (seed, steps) = (self.config.seed, plan.steps_per_epoch);
        let file = StateFile::of(directory, state, &self.recipe, seed, steps, best_model)?;
        write(directory, STATE, &file.to_text())
    }

    /// Returns the intervals of a run of `total_steps` steps.
    fn intervals(&self, total_steps: usize) -> Intervals {
        Intervals {
            eval_steps: self.config.steps_between_evaluations(total_steps),
            logging_steps: self.config.logging_steps.of(total_steps),
            save_steps: self.config.save_steps.of(total_steps),
        }
    }

    /// With `save_strategy = "no"`, only best models have checkpoints, and the default limit is 1.
    fn save_total_limit(&self) -> Option<usize> {
        let saves_only_best = self.config.save_strategy == IntervalStrategy::No;
        self.config.save_total_limit.or(saves_only_best.then_some(1))
    }

    /// Returns the final path of the best model's checkpoint, if it exists or has the step `written`.
    fn best_checkpoint(&self, best: Option<BestModel>, written: Option<usize>) -> Option<PathBuf> {
        let step = best?.step;
        let exists = written == Some(step) || checkpoint_dir(&self.paths.partial_dir, step).is_dir();
        exists.then(|| checkpoint_dir(&self.paths.output_dir, step))
    }

    fn save_model(&self, directory: &Path, model: &Model) -> Result<(), TrainError> {
        let model_config = &self.model_config;
        match &self.base_model_name_or_path {
            Some(base_model_name_or_path) => {
                save_adapter(model, base_model_name_or_path, directory)?;
                model_config.save_as(directory, ADAPTER_MODEL_CONFIG)?;
            }
            None => save_pretrained(model, model_config, directory)?,
        }
        let max_length = model_config.encoder.max_length();
        Ok(self.tokenizer.save(directory, model_config.architecture.tokenizer_class, max_length)?)
    }
}

/// Writes the files that identify an unfinished run.
fn write_recipe_and_log(directory: &Path, recipe: &str, log: &[LogEntry]) -> Result<MetricsLog, TrainError> {
    write_file(&directory.join(RECIPE), recipe.as_bytes())?;
    MetricsLog::create(directory, log)
}
