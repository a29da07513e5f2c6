//! The run directory: what a run leaves on disk, under the names that transformers and the Hub know.
//!
//! While a run trains, its files are in `OUT.partial`, next to the output directory `OUT`: `recipe.toml`,
//! `metrics.jsonl` (flushed line by line, so that a killed run keeps it) and `checkpoint-N/`. When it is done, all the
//! rest is added, flushed to the disk, and the directory takes the name `OUT`.
//!
//! A `checkpoint-N/` holds a model that `transformers` opens, or an adapter that PEFT opens, and what resuming needs:
//! `optimizer.safetensors` and `state.json`, which has the SHA-256 of every file. It is written under another name,
//! flushed to the disk and renamed, so it is complete or absent.

mod atomic;
mod contents;
#[cfg(feature = "curves")]
mod curves;
mod directory_check;
mod lock;
mod metrics_log;
mod model_card;
mod model_card_use;
mod optimizer_file;
mod places;
mod results;
mod rotation;
mod run_files;
mod run_settings;
mod saved;
mod seal;
mod state_file;
mod takeover;
mod trainer_state;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use embert_model::{ADAPTER_MODEL_CONFIG, AutoConfig, save_adapter, save_pretrained};
use embert_text::Tokenizer;

use crate::best_model::BestModel;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::error::{TrainError, at};
use crate::evaluate::Evaluation;
use crate::event::{Event, RunPlan, Snapshot, TrainReport};
use crate::log_entry::LogEntry;
use crate::model::Model;
use atomic::{flush_own, replace_run, write_checkpoint, write_file};
use contents::Contents;
use metrics_log::MetricsLog;
use model_card::CardedRun;
pub use model_card::ModelCard;
pub use places::OnExisting;
use places::{Places, is_same};
use results::{write, write_json, write_results};
use rotation::{checkpoint, delete_old_checkpoints, delete_other_checkpoints};
pub use run_files::published_files;
use run_files::{RECIPE, STATE, Stage, TRAINER_STATE};
pub use run_settings::RunSettings;
pub use saved::Checkpoint;
use state_file::StateFile;
use trainer_state::{Intervals, RunProgress, finished_state, trainer_state};

/// A run directory that is being written.
#[derive(Debug)]
pub struct RunDirectory {
    places: Places,
    origin: Origin,
    /// `None` until a run starts that continues in the directory that it left.
    metrics: Option<MetricsLog>,
    /// Held until the run is over.
    lock: File,
    recipe: String,
    config: TrainConfig,
    model_config: AutoConfig,
    tokenizer: Tokenizer,
    /// The base model of the adapter that a run trains.
    base_model_name_or_path: Option<String>,
    plan: Option<RunPlan>,
    last_checkpoint: Option<PathBuf>,
    has_steps: bool,
}

/// How the partial directory came to be.
#[derive(Debug, Clone)]
enum Origin {
    /// For a new run.
    Created,
    /// For a resumed run whose checkpoints, up to this step, are copies.
    Copied { step: usize, log: Vec<LogEntry> },
    /// It is the one that the resumed run left.
    Continued { step: usize, log: Vec<LogEntry> },
}

impl RunDirectory {
    /// Makes room for a new run.
    ///
    /// # Errors
    /// The errors of [`check`](Self::check); [`TrainError::Io`] if nothing can be written there.
    pub fn create(
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        Self::check(output_dir, on_existing)?;
        let places = Places::of(output_dir)?;
        places.restore()?;
        if let Some(contents) = places.examine()?.partial {
            contents.remove(&places.partial_dir)?;
        }
        Self::open(places, Origin::Created, settings)
    }

    /// Makes room for the rest of a run: in the directory that it left, or in a new one into which its checkpoints are
    /// copied. When the run starts, later checkpoints are renamed to `checkpoint-N.superseded`.
    ///
    /// # Errors
    /// The errors of [`create`](Self::create), except that the run's own directory may hold the run.
    pub fn resume(
        from: &Checkpoint,
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        let places = Places::of(output_dir)?;
        let (step, log) = (from.state().step(), from.state().log_history().to_vec());
        let found = places.examine()?;
        let origin = if is_same(from.run_dir(), &places.partial_dir) {
            Origin::Continued { step, log }
        } else {
            if !is_same(from.run_dir(), &places.output_dir) {
                places.refuse_output(&found, on_existing)?;
            }
            places.refuse_partial(&found, on_existing)?;
            takeover::bring(from.run_dir(), &places, found.partial, step)?;
            Origin::Copied { step, log }
        };
        let this = Self::open(places, origin, settings)?;
        Ok(Self { last_checkpoint: Some(from.path().to_owned()), ..this })
    }

    fn open(places: Places, origin: Origin, settings: RunSettings<'_>) -> Result<Self, TrainError> {
        let RunSettings { config, model_config, tokenizer, recipe } = settings;
        fs::create_dir_all(&places.partial_dir).map_err(at(&places.partial_dir))?;
        let lock = lock::lock(&places.partial_dir)?;
        let metrics = match &origin {
            Origin::Created => Some(write_first_files(&places.partial_dir, recipe, &[])?),
            Origin::Copied { log, .. } => Some(write_first_files(&places.partial_dir, recipe, log)?),
            Origin::Continued { .. } => None, // the run may still be refused
        };
        Ok(Self {
            places,
            origin,
            metrics,
            lock,
            recipe: recipe.to_owned(),
            config: config.clone(),
            model_config: model_config.clone(),
            tokenizer: tokenizer.clone(),
            base_model_name_or_path: None,
            plan: None,
            last_checkpoint: None,
            has_steps: false,
        })
    }

    /// The same with other settings and their recipe, for a run that has not started.
    #[must_use]
    pub fn with_recipe(mut self, config: &TrainConfig, recipe: &str) -> Self {
        (self.config, self.recipe) = (config.clone(), recipe.to_owned());
        self
    }

    /// The same for a model with adapters: PEFT's files instead of `model.safetensors`.
    pub fn with_adapter(mut self, base_model_name_or_path: &str) -> Self {
        self.base_model_name_or_path = Some(base_model_name_or_path.to_owned());
        self
    }

    /// Where the run's files are until it is finished.
    pub fn partial_dir(&self) -> &Path {
        &self.places.partial_dir
    }

    /// The newest checkpoint of the run, if it has one.
    pub fn last_checkpoint(&self) -> Option<&Path> {
        self.last_checkpoint.as_deref()
    }

    /// Undoes [`create`](Self::create) or [`resume`](Self::resume), if the run made no step: removes the partial
    /// directory that they made, and leaves one that was there before as it is.
    ///
    /// # Errors
    /// If the files cannot be removed.
    pub fn discard_unstarted(self) -> Result<(), TrainError> {
        if self.has_steps || matches!(self.origin, Origin::Continued { .. }) {
            return Ok(());
        }
        drop((self.lock, self.metrics)); // Windows removes no open file
        match contents::read(&self.places.partial_dir, Stage::Unfinished)? {
            Some(contents) => contents.remove(&self.places.partial_dir),
            None => Ok(()),
        }
    }

    /// Saves a line of the log or a checkpoint, as the event of [`fit`](crate::fit) asks. Returns the path of the
    /// checkpoint, if one was written.
    ///
    /// # Errors
    /// If a file cannot be written.
    ///
    /// # Panics
    /// If a line or a checkpoint is due before the run has started: pass every event on.
    pub fn record(&mut self, event: &Event<'_>) -> Result<Option<PathBuf>, TrainError> {
        match event {
            Event::Started(plan) => self.start(*plan)?,
            Event::Step(_) => self.note_step(),
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
        let directory = &self.places.partial_dir;
        let log = match &self.origin {
            Origin::Created => &[][..],
            Origin::Copied { log, .. } => log,
            Origin::Continued { step, log } => {
                takeover::mend(directory)?;
                takeover::set_aside(directory, *step)?;
                log
            }
        };
        self.metrics = Some(write_first_files(directory, &self.recipe, log)?);
        Ok(())
    }

    /// From now on the copies of earlier checkpoints are kept.
    fn note_step(&mut self) {
        if let (false, Origin::Copied { step, .. }) = (self.has_steps, &self.origin) {
            self.last_checkpoint = Some(checkpoint(&self.places.partial_dir, *step));
        }
        self.has_steps = true;
    }

    /// Adds all that a finished run has and gives the directory its name. Returns that name.
    ///
    /// `evaluation` is the last one, for `eval_results.json` and the model card.
    ///
    /// # Errors
    /// If a file cannot be written or the directory cannot be renamed; everything is then still in
    /// [`partial_dir`](Self::partial_dir).
    pub fn finish(
        self,
        model: &Model,
        report: &TrainReport,
        evaluation: Option<&Evaluation>,
        card: &ModelCard,
    ) -> Result<PathBuf, TrainError> {
        let directory = &self.places.partial_dir;
        takeover::mend(directory)?;
        self.save_model(directory, model)?;
        let best = self.best_checkpoint(report.best, None);
        if let (Some(best), Some(_), Some(1)) = (report.best, &best, self.save_total_limit()) {
            delete_other_checkpoints(directory, best.step)?;
        }
        write_json(directory, TRAINER_STATE, &finished_state(self.intervals(), report, best))?;
        #[cfg(feature = "curves")]
        curves::write(directory, &report.log_history)?;
        let labels = self.model_config.label_names();
        write_results(directory, report, evaluation, &labels)?;
        let run = CardedRun {
            report,
            evaluation,
            labels: &labels,
            recipe: &self.recipe,
            truncation: self.tokenizer.truncation(),
            is_adapter: self.base_model_name_or_path.is_some(),
        };
        write(directory, "README.md", &card.render(&run))?;
        lock::remove(directory)?;
        drop((self.lock, self.metrics)); // Windows renames no directory with open files
        let Places { output_dir, partial_dir } = self.places;
        match take_name(&partial_dir, &output_dir) {
            Ok(()) => Ok(output_dir),
            Err(error) => Err(TrainError::Unnamed { partial_dir, source: Box::new(error) }),
        }
    }

    fn save_checkpoint(&mut self, snapshot: Snapshot<'_>) -> Result<PathBuf, TrainError> {
        let state = snapshot.state;
        let path = checkpoint(&self.places.partial_dir, state.step);
        write_checkpoint(&path, |directory| self.write_checkpoint(directory, snapshot))?;
        self.last_checkpoint = Some(path.clone());
        if let Some(limit) = self.save_total_limit() {
            delete_old_checkpoints(&self.places.partial_dir, limit, state.best().map(|best| best.step))?;
        }
        Ok(path)
    }

    fn write_checkpoint(&self, directory: &Path, snapshot: Snapshot<'_>) -> Result<(), TrainError> {
        let Snapshot { model, optimizer, state } = snapshot;
        let plan = self.plan.as_ref().expect("a run starts before its first checkpoint");
        let (step, best) = (state.step, state.best());
        self.save_model(directory, model)?;
        optimizer_file::write(optimizer, directory)?;
        let progress = RunProgress { step, epoch: state.epoch, log_history: &state.log_history, best };
        let best_checkpoint = self.best_checkpoint(best, Some(step));
        let trainer_state = trainer_state(self.intervals(), plan, progress, best_checkpoint);
        write_json(directory, TRAINER_STATE, &trainer_state)?;
        let needed = best.filter(|_| self.config.load_best_model_at_end);
        let needed = needed.map(|best| best.step);
        let (seed, steps) = (self.config.seed, plan.steps_per_epoch);
        let file = StateFile::of(directory, state, &self.recipe, seed, steps, needed)?;
        write(directory, STATE, &file.to_text())
    }

    fn intervals(&self) -> Intervals {
        Intervals {
            eval_steps: self.config.steps_between_evaluations(),
            logging_steps: self.config.logging_steps,
            save_steps: self.config.save_steps,
        }
    }

    /// Under `save_strategy = "no"` the only checkpoints are of best models, and one is enough if nothing else is set.
    fn save_total_limit(&self) -> Option<usize> {
        let saves_best_alone = self.config.save_strategy == IntervalStrategy::No;
        self.config.save_total_limit.or(saves_best_alone.then_some(1))
    }

    /// Where the best model's checkpoint will be when the run is finished, if it is there or is just being written.
    fn best_checkpoint(&self, best: Option<BestModel>, written: Option<usize>) -> Option<PathBuf> {
        let step = best?.step;
        let is_there = written == Some(step) || checkpoint(&self.places.partial_dir, step).is_dir();
        is_there.then(|| checkpoint(&self.places.output_dir, step))
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
        let max_length = model_config.encoder.max_position_embeddings;
        Ok(self.tokenizer.save(directory, model_config.architecture.tokenizer_class, max_length)?)
    }
}

/// Writes the files by which the directory of an unfinished run is recognized.
fn write_first_files(directory: &Path, recipe: &str, log: &[LogEntry]) -> Result<MetricsLog, TrainError> {
    write_file(&directory.join(RECIPE), recipe.as_bytes())?;
    MetricsLog::create(directory, log)
}

/// Flushes a complete run and gives it the name of its output directory.
fn take_name(partial_dir: &Path, output_dir: &Path) -> Result<(), TrainError> {
    let run = contents::read(partial_dir, Stage::Unfinished)?.unwrap_or_default();
    flush_own(partial_dir, &run)?;
    let replaced: Option<Contents> = contents::read(output_dir, Stage::Finished)?;
    replace_run(partial_dir, output_dir, replaced)
}
