//! The run directory: what a run leaves on disk, under the names that transformers and the Hub know.
//!
//! While a run trains, its files gather in `OUT.partial`, beside the output directory `OUT`: `recipe.toml`,
//! `metrics.jsonl` (flushed line by line, so that a killed run keeps it) and `checkpoint-N/`. When it is done, all the
//! rest is added, flushed to the disk, and the directory takes the name `OUT`.
//!
//! A `checkpoint-N/` holds a model that `transformers` opens, or an adapter that PEFT opens, and beside it what going on
//! takes: `optimizer.safetensors` and `state.json`, which has the SHA-256 of every file. It is written beside its place,
//! flushed to the disk and renamed: whatever happens, it is there whole or not at all.

mod atomic;
mod curves;
mod exact;
mod lock;
mod metrics_log;
mod model_card;
mod optimizer_file;
mod results;
mod rotation;
mod saved;
mod seal;
mod state_file;
mod takeover;
mod trainer_state;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use embert_model::{
    AutoConfig, AutoModelForSequenceClassification, LoraConfig, save_adapter, save_pretrained,
};
use embert_text::Tokenizer;

use crate::best_model::BestModel;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::error::{TrainError, at};
use crate::evaluate::Evaluation;
use crate::event::{Event, RunPlan, Snapshot, TrainReport};
use crate::log_entry::LogEntry;
use atomic::{flush_tree, remove_directory, replace_directory, sibling, write_directory, write_file};
use metrics_log::MetricsLog;
pub use model_card::ModelCard;
use results::{write, write_json, write_results};
use rotation::{checkpoint, delete_old_checkpoints, delete_other_checkpoints};
pub use saved::Checkpoint;
use state_file::{STATE, StateFile};
use trainer_state::{Standing, TrainerState};

/// What to do when the output directory holds files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExisting {
    /// Refuse before training begins.
    Refuse,
    /// Replace it, when the new run is complete (`--overwrite_output_dir`).
    Replace,
}

/// What the files of a run tell beside its weights.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings<'a> {
    /// How it trains.
    pub config: &'a TrainConfig,
    /// What it trains.
    pub model_config: &'a AutoConfig,
    /// What made tokens of its texts.
    pub tokenizer: &'a Tokenizer,
    /// The resolved recipe as TOML, kept as `recipe.toml`.
    pub recipe: &'a str,
}

/// A run directory that is being written.
#[derive(Debug)]
pub struct RunDirectory {
    output_dir: PathBuf,
    partial_dir: PathBuf,
    metrics: MetricsLog,
    /// Held until the run is over.
    lock: File,
    recipe: String,
    config: TrainConfig,
    model_config: AutoConfig,
    tokenizer: Tokenizer,
    adapter: Option<AdapterOf>,
    plan: Option<RunPlan>,
    last_checkpoint: Option<PathBuf>,
    has_steps: bool,
}

/// The settings of the adapter that a run trains, and the name of its base model.
#[derive(Debug)]
struct AdapterOf {
    config: LoraConfig,
    base_model_name_or_path: String,
}

impl RunDirectory {
    /// Makes room for a run, before it trains.
    ///
    /// # Errors
    /// [`TrainError::OutputExists`] if `output_dir` or its `.partial` sibling holds files and may not be replaced;
    /// [`TrainError::Busy`] if another process is writing there; [`TrainError::Io`] if nothing can be written there.
    pub fn create(
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        let output_dir = with_name(output_dir)?;
        let partial_dir = sibling(&output_dir, "partial");
        refuse_existing([&output_dir, &partial_dir].into_iter(), on_existing)?;
        lock::refuse_busy(&partial_dir)?;
        make_empty(&partial_dir)?;
        Self::open(output_dir, partial_dir, settings, &[])
    }

    /// Takes up the run of a checkpoint where it stood: in the directory that it left, or in a new one into which its
    /// checkpoints are brought. What comes after the checkpoint is set aside as `checkpoint-N.superseded`.
    ///
    /// # Errors
    /// Those of [`create`](Self::create), where the run does not go on in its own directory.
    pub fn resume(
        from: &Checkpoint,
        output_dir: &Path,
        on_existing: OnExisting,
        settings: RunSettings<'_>,
    ) -> Result<Self, TrainError> {
        let output_dir = with_name(output_dir)?;
        let partial_dir = sibling(&output_dir, "partial");
        let step = from.state().step();
        lock::refuse_busy(&partial_dir)?;
        if !is_same(from.run_dir(), &partial_dir) {
            let is_own = is_same(from.run_dir(), &output_dir);
            let others = [(!is_own).then_some(&output_dir), Some(&partial_dir)];
            refuse_existing(others.into_iter().flatten(), on_existing)?;
            write_directory(&partial_dir, |aside| takeover::bring(from.run_dir(), aside, step))?;
        }
        takeover::set_aside(&partial_dir, step)?;
        let (log, path) = (from.state().log_history(), checkpoint(&partial_dir, step));
        let this = Self::open(output_dir, partial_dir, settings, log)?;
        Ok(Self { last_checkpoint: Some(path), ..this })
    }

    /// Finishes or takes back what a kill left half done in `OUT.partial`, whose path it returns, so that a checkpoint can
    /// be looked for there.
    ///
    /// # Errors
    /// [`TrainError::Busy`] if another process is writing the run; [`TrainError::Io`] if a name cannot be changed.
    pub fn mend(output_dir: &Path) -> Result<PathBuf, TrainError> {
        let partial_dir = sibling(&with_name(output_dir)?, "partial");
        if partial_dir.is_dir() {
            lock::refuse_busy(&partial_dir)?;
            takeover::mend_unfinished(&partial_dir)?;
        }
        remove_directory(&sibling(&partial_dir, "tmp"))?; // checkpoints that were not all brought yet
        Ok(partial_dir)
    }

    fn open(
        output_dir: PathBuf,
        partial_dir: PathBuf,
        settings: RunSettings<'_>,
        log: &[LogEntry],
    ) -> Result<Self, TrainError> {
        let RunSettings { config, model_config, tokenizer, recipe } = settings;
        let lock = lock::lock(&partial_dir)?;
        write_file(&partial_dir.join("recipe.toml"), recipe.as_bytes())?;
        Ok(Self {
            output_dir,
            lock,
            metrics: MetricsLog::create(&partial_dir, log)?,
            partial_dir,
            recipe: recipe.to_owned(),
            config: config.clone(),
            model_config: model_config.clone(),
            tokenizer: tokenizer.clone(),
            adapter: None,
            plan: None,
            last_checkpoint: None,
            has_steps: false,
        })
    }

    /// The same with other settings and their recipe, for a run that has not started.
    ///
    /// # Errors
    /// If `recipe.toml` cannot be written.
    pub fn with_recipe(mut self, config: &TrainConfig, recipe: &str) -> Result<Self, TrainError> {
        write(&self.partial_dir, "recipe.toml", recipe)?;
        (self.config, self.recipe) = (config.clone(), recipe.to_owned());
        Ok(self)
    }

    /// The same for a model with adapters: PEFT's files instead of `model.safetensors`.
    pub fn with_adapter(mut self, config: &LoraConfig, base_model_name_or_path: &str) -> Self {
        let base_model_name_or_path = base_model_name_or_path.to_owned();
        self.adapter = Some(AdapterOf { config: config.clone(), base_model_name_or_path });
        self
    }

    /// Where the run's files are until it is finished.
    pub fn partial_dir(&self) -> &Path {
        &self.partial_dir
    }

    /// The newest checkpoint of the run, if it has one.
    pub fn last_checkpoint(&self) -> Option<&Path> {
        self.last_checkpoint.as_deref()
    }

    /// Removes the files again, if the run made no step: what stopped it can be mended and the name be used.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub fn discard_unstarted(self) -> Result<(), TrainError> {
        let is_unstarted = !self.has_steps && self.last_checkpoint.is_none();
        if is_unstarted { remove_directory(&self.partial_dir) } else { Ok(()) }
    }

    /// Keeps what an event of [`fit`](crate::fit) brings: a line of the log, or a checkpoint. Returns the path of the
    /// checkpoint, if one was written.
    ///
    /// # Errors
    /// If a file cannot be written.
    ///
    /// # Panics
    /// If a checkpoint is due before the run has started: pass every event on.
    pub fn record(&mut self, event: &Event<'_>) -> Result<Option<PathBuf>, TrainError> {
        match event {
            Event::Started(plan) => self.plan = Some(*plan),
            Event::Step(_) => self.has_steps = true,
            Event::Logged(entry) | Event::Evaluated(entry) => self.metrics.append(entry)?,
            Event::CheckpointDue(snapshot) => return self.save_checkpoint(*snapshot).map(Some),
            _ => {}
        }
        Ok(None)
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
        model: &AutoModelForSequenceClassification,
        report: &TrainReport,
        evaluation: Option<&Evaluation>,
        card: &ModelCard,
    ) -> Result<PathBuf, TrainError> {
        let directory = &self.partial_dir;
        takeover::mend(directory)?;
        self.save_model(directory, model)?;
        let best = self.best_checkpoint(report.best, None);
        if let (Some(best), Some(_), Some(1)) = (report.best, &best, self.save_total_limit()) {
            delete_other_checkpoints(directory, best.step)?;
        }
        write_json(directory, "trainer_state.json", &TrainerState::finished(&self.config, report, best))?;
        curves::write(directory, &report.log_history)?;
        write_results(directory, report, evaluation)?;
        let labels = self.model_config.label_names();
        write(
            directory,
            "README.md",
            &card.render(report, evaluation, &labels, &self.recipe, self.adapter.is_some()),
        )?;
        lock::remove(directory)?;
        flush_tree(directory)?;
        drop((self.lock, self.metrics)); // Windows renames no directory with open files
        let named = replace_directory(&self.partial_dir, &self.output_dir);
        named.map_err(|error| TrainError::Unnamed {
            partial_dir: self.partial_dir,
            source: Box::new(error),
        })?;
        Ok(self.output_dir)
    }

    fn save_checkpoint(&mut self, snapshot: Snapshot<'_>) -> Result<PathBuf, TrainError> {
        let state = snapshot.state;
        let path = checkpoint(&self.partial_dir, state.step);
        write_directory(&path, |directory| self.write_checkpoint(directory, snapshot))?;
        self.last_checkpoint = Some(path.clone());
        if let Some(limit) = self.save_total_limit() {
            delete_old_checkpoints(&self.partial_dir, limit, state.best().map(|best| best.step))?;
        }
        Ok(path)
    }

    fn write_checkpoint(&self, directory: &Path, snapshot: Snapshot<'_>) -> Result<(), TrainError> {
        let Snapshot { model, optimizer, state } = snapshot;
        let plan = self.plan.as_ref().expect("a run starts before its first checkpoint");
        let (step, best) = (state.step, state.best());
        self.save_model(directory, model)?;
        optimizer_file::write(optimizer, directory)?;
        let standing = Standing { step, epoch: state.epoch, log_history: &state.log_history, best };
        let best_checkpoint = self.best_checkpoint(best, Some(step));
        let trainer_state = TrainerState::new(&self.config, plan, standing, best_checkpoint);
        write_json(directory, "trainer_state.json", &trainer_state)?;
        let needed = best.filter(|_| self.config.load_best_model_at_end);
        let needed = needed.map(|best| best.step);
        let (seed, steps) = (self.config.seed, plan.steps_per_epoch);
        let file = StateFile::of(directory, state, &self.recipe, seed, steps, needed)?;
        write(directory, STATE, &file.to_text())
    }

    /// Where no checkpoints are asked for, the only ones are of best models, and one is enough.
    fn save_total_limit(&self) -> Option<usize> {
        let is_asked_for = self.config.save_strategy != IntervalStrategy::No;
        if is_asked_for { self.config.save_total_limit } else { Some(1) }
    }

    /// Where the best model's checkpoint will be when the run is finished, if it is there or is just being written.
    fn best_checkpoint(&self, best: Option<BestModel>, written: Option<usize>) -> Option<PathBuf> {
        let step = best?.step;
        let is_there = written == Some(step) || checkpoint(&self.partial_dir, step).is_dir();
        is_there.then(|| checkpoint(&self.output_dir, step))
    }

    fn save_model(
        &self,
        directory: &Path,
        model: &AutoModelForSequenceClassification,
    ) -> Result<(), TrainError> {
        let model_config = &self.model_config;
        match &self.adapter {
            Some(AdapterOf { config, base_model_name_or_path }) => {
                save_adapter(model, config, base_model_name_or_path, directory)?;
                model_config.save(directory)?;
            }
            None => save_pretrained(model, model_config, directory)?,
        }
        let max_length = model_config.max_position_embeddings();
        Ok(self.tokenizer.save(directory, model_config.tokenizer_class(), max_length)?)
    }
}

fn make_empty(directory: &Path) -> Result<(), TrainError> {
    remove_directory(directory)?;
    fs::create_dir_all(directory).map_err(at(directory))
}

fn refuse_existing<'a>(
    mut directories: impl Iterator<Item = &'a PathBuf>,
    on_existing: OnExisting,
) -> Result<(), TrainError> {
    directories.try_for_each(|directory| match holds_files(directory)? {
        true if on_existing == OnExisting::Refuse => {
            Err(TrainError::OutputExists { path: directory.clone() })
        }
        _ => Ok(()),
    })
}

/// Whether both are names of one directory that is there.
fn is_same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

/// The path, with a name to put siblings beside: not `.` or `..`, and not a link, which would be replaced instead of what it
/// leads to.
fn with_name(path: &Path) -> Result<PathBuf, TrainError> {
    match path.file_name().is_some() && !path.is_symlink() {
        true => Ok(path.to_owned()),
        false => fs::canonicalize(path).map_err(at(path)),
    }
}

/// Whether there is such a directory with something in it. A file in its place is an error.
fn holds_files(directory: &Path) -> Result<bool, TrainError> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(directory)(error)),
    }
}
