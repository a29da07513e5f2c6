//! `embert train`: recipe in, run directory out.

use std::path::Path;

use burn::module::Module;
use clap::ArgMatches;
use embert_data::{ClassBalance, Dataset};
use embert_inference::{Batching, predict, predicted_label, probabilities};
use embert_model::{AutoModelForSequenceClassification, count_parameters};
use embert_text::Truncation;
use embert_train::{
    Checkpoint, Evaluation, Event, Fitted, IntervalStrategy, LabelledTexts, LogEntry, ModelCard,
    RunDirectory, RunSettings, TrainData, evaluate, fit, fit_from,
};

use crate::device::{self, Place};
use crate::error::CliError;
use crate::examples::{self, EncodedExamples, EvalExamples, Examples};
use crate::interrupt::Interrupt;
use crate::memory::MemoryPlan;
use crate::model_source::{LoadedModel, ModelSource};
use crate::progress::Bar;
use crate::recipe::Recipe;
use crate::watch::Watch;
use crate::{hints, output, output_dir, report, resume, trained_labels, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    if matches.get_flag("print_config") {
        let (recipe, _) = resume::resolve(matches)?;
        output::print(as_toml(&recipe).trim_end());
        return Ok(());
    }
    output::outlive_reader();
    let place = device::all_of(matches)?;
    let (recipe, checkpoint) = resume::resolve(matches)?;
    let recipe_text = as_toml(&recipe);
    tracing::debug!(recipe = %recipe_text, "resolved");
    place.require(recipe.train.precision())?;
    if checkpoint.is_none() {
        output_dir::check(&recipe)?;
    }
    let (examples, head) = trained_labels::read_examples(&recipe)?;
    let source = ModelSource::of_recipe(&recipe, &examples.train, head)?;
    let mut warnings = source.notes();
    warnings.extend(examples.notes.iter().map(hints::of_note));
    warnings.extend(warnings::before_training(&recipe, &examples, matches));
    let (run, model, directory) = Run::prepare(&recipe, &recipe_text, place, &examples, &source, checkpoint)?;
    run.train(model, directory, warnings)
}

fn as_toml(recipe: &Recipe) -> String {
    toml::to_string_pretty(recipe).expect("a recipe is TOML")
}

struct Run<'a> {
    recipe: Recipe,
    place: Place,
    examples: &'a Examples,
    source: &'a ModelSource,
    train: EncodedExamples,
    eval: Option<EncodedExamples>,
    /// The label that F1, precision and recall are about, if the recipe names one.
    pos_label: Option<usize>,
    memory: Option<MemoryPlan>,
    interrupt: Interrupt,
    /// The checkpoint that the run resumes from.
    checkpoint: Option<Checkpoint>,
}

impl<'a> Run<'a> {
    fn prepare(
        recipe: &'a Recipe,
        recipe_text: &str,
        place: Place,
        examples: &'a Examples,
        source: &'a ModelSource,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(Self, Result<LoadedModel, CliError>, RunDirectory), CliError> {
        let limit = examples::limit(&recipe.data, source.config.encoder.max_position_embeddings)?;
        let pos_label = examples::pos_label(&recipe.data, &source.config.label_names())?;
        let mut directory =
            run_directory(recipe, recipe_text, source, limit.truncation(), checkpoint.as_ref())?;
        let interrupt = Interrupt::listen().map_err(CliError::failed)?;
        let encode = |dataset| EncodedExamples::new(&source.tokenizer, dataset, limit);
        let encode_eval = || examples.eval.as_ref().map(|eval| encode(&eval.dataset));
        let (seed, device) = (recipe.train.seed, &place.device);
        let load = || match &checkpoint {
            Some(checkpoint) => source.load_checkpoint(checkpoint.path(), seed, device),
            None => source.load(seed, device),
        };
        let (model, (train, eval)) = rayon::join(load, || (encode(&examples.train), encode_eval()));
        let recipe = recipe.clone();
        let memory = None;
        let mut run =
            Self { recipe, place, examples, source, train, eval, pos_label, memory, interrupt, checkpoint };
        run.memory = model
            .as_ref()
            .ok()
            .and_then(|loaded| MemoryPlan::new(&run.recipe, &run.place, source, &loaded.model, &run.data()));
        if let Some(plan) = run.memory.as_ref().filter(|plan| plan.config != run.recipe.train) {
            run.recipe.train = plan.config.clone();
            directory = directory.with_recipe(&run.recipe.train, &as_toml(&run.recipe));
        }
        Ok((run, model, directory))
    }

    fn data(&self) -> TrainData<'_> {
        TrainData {
            train: self.train.labelled(),
            eval: self.eval.as_ref().map(EncodedExamples::labelled),
            pos_label: self.pos_label,
            padding: self.place.padding,
            replicas: &self.place.replicas,
        }
    }

    fn train(
        &self,
        loaded: Result<LoadedModel, CliError>,
        mut directory: RunDirectory,
        warnings: Vec<String>,
    ) -> Result<(), CliError> {
        self.describe_data();
        let memory = self.memory.as_ref().and_then(MemoryPlan::warning);
        warnings.into_iter().chain(memory).for_each(output::warn);
        let fitted = match self.fit(loaded, &mut directory) {
            Ok(fitted) => fitted,
            Err(error) => {
                let error = with_checkpoint(error, &directory);
                directory.discard_unstarted()?;
                return Err(error);
            }
        };
        match self.interrupt.signal() {
            Some(signal) if fitted.report.interrupted => {
                interrupted(directory, fitted.report.global_step, signal)
            }
            _ => self.finish(directory, &fitted, self.data().eval),
        }
    }

    fn fit(
        &self,
        loaded: Result<LoadedModel, CliError>,
        directory: &mut RunDirectory,
    ) -> Result<Fitted, CliError> {
        let loaded = loaded?;
        self.memory.as_ref().map_or(Ok(()), MemoryPlan::require)?;
        self.describe_model(&loaded);
        let mut data = self.data();
        data.eval = data.eval.filter(|_| self.recipe.train.eval_strategy != IntervalStrategy::No);
        let labels = self.source.config.label_names();
        let num_parameters = loaded.model.lora().map(|_| count_parameters(&loaded.model).all);
        let on_save_error = self.recipe.output.on_save_error;
        let mut watch = Watch::new(directory, &self.interrupt, labels, num_parameters, on_save_error);
        let mut on_event = |event: Event<'_>| watch.hear(event);
        let config = &self.recipe.train;
        Ok(match &self.checkpoint {
            None => fit(loaded.model, data, config, &mut on_event)?,
            Some(checkpoint) => {
                let state = checkpoint.state();
                let path = checkpoint.path().display();
                output::print(format_args!(
                    "resuming from {path}: step {}, epoch {:.2}",
                    state.step(),
                    state.epoch()
                ));
                let from = checkpoint.resume(&loaded.model, self.best_model(checkpoint)?)?;
                fit_from(loaded.model, from, data, config, &mut on_event)?
            }
        })
    }

    /// The best model of a resumed run that is to end with it.
    fn best_model(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<Option<AutoModelForSequenceClassification>, CliError> {
        let load = |path| self.source.load_checkpoint(path, self.recipe.train.seed, &self.place.device);
        Ok(checkpoint.best_model().map(load).transpose()?.map(|loaded| loaded.model.valid()))
    }

    fn describe_data(&self) {
        let Examples { train, eval, .. } = self.examples;
        output::print(format_args!(
            "train: {} texts, {}",
            report::grouped(train.len()),
            ClassBalance::of(train)
        ));
        if let Some(EvalExamples { dataset, name }) = eval {
            let (count, balance) = (report::grouped(dataset.len()), ClassBalance::of(dataset));
            output::print(format_args!("eval:  {count} texts ({name}), {balance}"));
        }
        output::print(report::lengths(&self.train.texts));
        let train = &self.recipe.train;
        output::print(report::padding(&self.train.texts, train.per_device_train_batch_size, train.seed));
        self.memory.iter().flat_map(MemoryPlan::lines).for_each(output::print);
    }

    fn describe_model(&self, LoadedModel { newly_initialized, unused, .. }: &LoadedModel) {
        if !unused.is_empty() {
            output::print(format_args!(
                "Some weights of the model checkpoint at {} were not used: {unused:?}",
                self.recipe.model.name()
            ));
        }
        if let Some(precision) = self.place.precision(self.recipe.train.precision()) {
            output::print(format_args!("matrix products: {precision}"));
        }
        if self.source.directory.is_none() {
            output::print(
                "Random weights and a vocabulary of the training texts: a demonstration, not a model to use.",
            );
        } else if !newly_initialized.is_empty() {
            output::print(format_args!(
                "Some weights of {} were not initialized from the model checkpoint at {} and are \
                 newly initialized: {newly_initialized:?}\nYou should probably TRAIN this model on a down-stream task to be \
                 able to use it for predictions and inference.",
                self.source.config.architecture.classifier_class,
                self.recipe.model.name()
            ));
        }
    }

    /// The last evaluation of training, or a new one if the last weights were not evaluated.
    fn evaluation(&self, fitted: &Fitted, eval: LabelledTexts<'_>) -> Result<Evaluation, CliError> {
        let log = &fitted.report.log_history;
        let last = log.iter().rev().find_map(|entry| match entry {
            LogEntry::Evaluation { step, evaluation, .. } if *step == fitted.model_step => Some(evaluation),
            _ => None,
        });
        match last {
            Some(evaluation) if !evaluation.metrics.confusion_matrix.is_empty() => Ok(evaluation.clone()),
            _ => {
                // none, or one of before the run was resumed, of which the log keeps numbers alone
                let bar = Bar::items("Evaluating", eval.texts.len());
                Ok(evaluate(&fitted.model, eval, self.batching(), self.pos_label, &mut |progress| {
                    bar.set(progress.done as u64);
                    Ok(self.interrupt.flow())
                })?)
            }
        }
    }

    fn batching(&self) -> Batching {
        self.recipe.train.evaluation_batching(self.train.texts.limit().max_length(), self.place.padding)
    }

    fn finish(
        &self,
        directory: RunDirectory,
        fitted: &Fitted,
        eval: Option<LabelledTexts<'_>>,
    ) -> Result<(), CliError> {
        let evaluation = eval.map(|eval| self.evaluation(fitted, eval)).transpose()?;
        let labels = self.source.config.label_names();
        if let Some(epochs) = report::epochs(&fitted.report.log_history) {
            output::print(epochs);
        }
        if let Some(metric) = self.recipe.train.best_model_metric() {
            report::best_model(fitted, metric).iter().for_each(output::print);
        }
        if let (Some(evaluation), Some(eval)) = (&evaluation, &self.examples.eval) {
            output::print(report::evaluation(evaluation, &labels, self.pos_label));
            output::print(self.samples(fitted, &eval.dataset, &labels)?);
        }
        let card = self.card();
        let (model, report) = (&fitted.model, &fitted.report);
        let last_checkpoint = directory.last_checkpoint().map(Path::to_owned);
        let output_dir = directory.finish(model, report, evaluation.as_ref(), &card).map_err(|error| {
            let hint = last_checkpoint.map_or(String::new(), |path| {
                format!("; {} is complete: --resume_from_checkpoint last resumes from it", path.display())
            });
            CliError { message: format!("{error}{hint}"), ..error.into() }
        })?;
        if let Some(seconds) = report.train_first_step_runtime {
            output::print(format_args!("first step {seconds:.1} s: it compiles and tunes kernels"));
        }
        output::print(format_args!(
            "{} steps in {:.1} s: {:.2} samples/s, {:.0} tokens/s, mean loss {:.4}\nsaved to {dir}; try: embert {next}",
            report.global_step,
            report.train_runtime,
            report.train_samples_per_second,
            report.train_tokens_per_second,
            report.train_loss,
            dir = output_dir.display(),
            next = next_command(&output_dir, evaluation.is_some()),
        ));
        Ok(())
    }

    /// Ten texts of the evaluation set, at equal distances: its rows may be sorted by label.
    fn samples(&self, fitted: &Fitted, eval: &Dataset, labels: &[String]) -> Result<String, CliError> {
        let eval = &eval.examples;
        let num_shown = eval.len().min(10);
        let shown = (0..num_shown).map(|n| &eval[n * eval.len() / num_shown]).collect::<Vec<_>>();
        let texts = shown.iter().map(|example| example.text.as_str()).collect::<Vec<_>>();
        let texts = self.source.tokenizer.encode_all(&texts, self.train.texts.limit(), &|_| {});
        let go_on = &mut |_| Ok::<_, CliError>(self.interrupt.flow());
        let logits = predict(&fitted.model, &texts, self.batching(), go_on)?;
        let samples = shown.iter().zip(&logits).map(|(example, logits)| {
            let predicted = predicted_label(logits);
            report::Sample {
                text: &example.text,
                gold: &labels[example.label],
                predicted: &labels[predicted],
                score: probabilities(logits)[predicted],
            }
        });
        Ok(report::samples(&samples.collect::<Vec<_>>()))
    }

    fn card(&self) -> ModelCard {
        let Recipe { model, data, output, .. } = &self.recipe;
        let base_model = match self.source.directory {
            Some(_) => model.model_name_or_path.clone(),
            None => "none: random weights".into(),
        };
        let is_id = |name: &str| !Path::new(name).exists();
        let name = Path::new(&output.output_dir).file_name().unwrap_or_default();
        ModelCard {
            model_name: name.to_string_lossy().into_owned(),
            base_model_id: self
                .source
                .directory
                .as_ref()
                .filter(|_| is_id(&base_model))
                .map(|_| base_model.clone()),
            base_model,
            dataset: data.train_file.clone().unwrap_or_else(|| data.dataset_name.clone()),
            dataset_id: None,
            max_seq_length: self.train.texts.limit().max_length(),
            pos_label: self.pos_label,
            eval_split: self.examples.eval.as_ref().map_or(String::new(), |eval| eval.name.clone()),
        }
    }
}

/// What to run next: an evaluation, if there was none.
fn next_command(output_dir: &Path, is_evaluated: bool) -> String {
    let dir = output_dir.display();
    match is_evaluated {
        true => format!("predict --model {dir} \"This movie is good\""),
        false => {
            format!("evaluate --model {dir} --dataset FILE (nothing was evaluated: eval_strategy is no)")
        }
    }
}

/// Where the run's files go: a new directory, or the one that it left.
fn run_directory(
    recipe: &Recipe,
    recipe_text: &str,
    source: &ModelSource,
    truncation: Truncation,
    checkpoint: Option<&Checkpoint>,
) -> Result<RunDirectory, CliError> {
    let output_dir = Path::new(&recipe.output.output_dir);
    let on_existing = output_dir::on_existing(recipe);
    let tokenizer = &source.tokenizer.clone().with_truncation(truncation);
    let settings =
        RunSettings { config: &recipe.train, model_config: &source.config, tokenizer, recipe: recipe_text };
    let directory = match checkpoint {
        Some(from) => RunDirectory::resume(from, output_dir, on_existing, settings)?,
        None => RunDirectory::create(output_dir, on_existing, settings)?,
    };
    Ok(match source.lora() {
        Some(_) => directory.with_adapter(&recipe.model.model_name_or_path),
        None => directory,
    })
}

/// The error of a run, and what is left of it.
fn with_checkpoint(error: CliError, directory: &RunDirectory) -> CliError {
    match directory.last_checkpoint() {
        Some(path) => CliError {
            message: format!("{}; the last checkpoint is {}", error.message, path.display()),
            ..error
        },
        None => error,
    }
}

/// What an interrupted run says in the end.
fn interrupted(directory: RunDirectory, step: usize, signal: usize) -> Result<(), CliError> {
    let message = match directory.last_checkpoint() {
        Some(path) => {
            format!(
                "interrupted after step {step}; everything is in {}: --resume_from_checkpoint last resumes from there",
                path.display()
            )
        }
        None => "interrupted before the first step".to_owned(),
    };
    directory.discard_unstarted()?;
    Err(CliError::interrupted(message, signal))
}
