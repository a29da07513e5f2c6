//! `embert train`: loads the data and the model of a recipe, trains, and prints the results.

use std::path::Path;

use burn::module::Module;
use clap::ArgMatches;
use embert_inference::Batching;
use embert_model::{AutoModelForSequenceClassification, count_parameters};
use embert_train::{
    Checkpoint, Evaluation, Event, Fitted, IntervalStrategy, LabelledTexts, RunDirectory, TrainConfig, fit,
    fit_from,
};
use serde_json::{Map, Value};

use crate::device::{self, DeviceContext};
use crate::encoded_examples::{EncodedRun, limit};
use crate::error::CliError;
use crate::examples::{EvalExamples, Examples};
use crate::final_evaluation::FinalModel;
use crate::interrupt::Interrupt;
use crate::memory::MemoryPlan;
use crate::metric_choice::{self, MetricChoice};
use crate::model_card::model_card;
use crate::model_source::{LoadedModel, ModelSource};
use crate::recipe::Recipe;
use crate::watch::Watch;
use crate::{describe, eval_fingerprint, output, output_dir, report, resume, trained_labels, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    if matches.get_flag("print_config") {
        let (recipe, _) = resume::resolve(matches)?;
        output::print(recipe.to_toml().trim_end());
        return Ok(());
    }
    output::outlive_reader();
    let context = device::all_of(matches)?;
    let (recipe, checkpoint) = resume::resolve(matches)?;
    tracing::debug!(recipe = %recipe.to_toml(), "resolved");
    context.require(recipe.train.precision())?;
    if checkpoint.is_none() {
        output_dir::check(&recipe)?;
    }
    let (examples, head) = trained_labels::read_examples(&recipe)?;
    let source = ModelSource::of_recipe(&recipe, &examples.train, head)?;
    recipe.train.resolve_label_names(&source.config.label_names())?;
    let warnings = warnings::of_run(&recipe, &source, &examples, matches);
    let limit = limit(&recipe.data, source.config.encoder.max_length())?;
    let metrics = MetricChoice::new(&recipe.data, &source.config)?;
    metric_choice::check_fitting(&recipe, &source.config)?;
    let interrupt = Interrupt::listen().map_err(CliError::failed)?;
    let (loaded, encoded) = rayon::join(
        || load(&source, &recipe, checkpoint.as_ref(), &context),
        || EncodedRun::new(&source.tokenizer, &examples, limit, metrics),
    );
    let encoded = encoded?;
    let run = Run { recipe, context, examples: &examples, source: &source, encoded, interrupt, checkpoint };
    run.train(loaded, &warnings)
}

/// Loads the weights that the run starts with.
fn load(
    source: &ModelSource,
    recipe: &Recipe,
    checkpoint: Option<&Checkpoint>,
    context: &DeviceContext,
) -> Result<LoadedModel, CliError> {
    match checkpoint {
        Some(checkpoint) => source.load_checkpoint(checkpoint.path(), recipe.train.seed, &context.device),
        None => source.load(recipe.train.seed, &context.device),
    }
}

/// Everything a run reads, except the weights.
struct Run<'a> {
    recipe: Recipe,
    context: DeviceContext,
    examples: &'a Examples,
    source: &'a ModelSource,
    encoded: EncodedRun,
    interrupt: Interrupt,
    /// The checkpoint that the run resumes from.
    checkpoint: Option<Checkpoint>,
}

impl Run<'_> {
    fn train(mut self, loaded: Result<LoadedModel, CliError>, warnings: &[String]) -> Result<(), CliError> {
        let plan = loaded.as_ref().ok().and_then(|loaded| self.plan_memory(loaded));
        if let Some(plan) = &plan {
            // The saved recipe keeps the label names that the user gave.
            let TrainConfig { class_weights, pos_weight, .. } = self.recipe.train.clone();
            self.recipe.train = TrainConfig { class_weights, pos_weight, ..plan.config.clone() };
        }
        self.describe(plan.as_ref());
        let of_device = warnings::without_effect_on_gpu(&self.recipe.train, self.context.is_cpu());
        let of_memory = plan.as_ref().and_then(MemoryPlan::warning);
        warnings.iter().cloned().chain(of_device).chain(of_memory).for_each(output::warn);
        let loaded = loaded?;
        plan.as_ref().map_or(Ok(()), MemoryPlan::require)?;
        // Opened last, because measuring the memory may end the process.
        let truncation = self.encoded.train.texts.limit().truncation();
        let mut directory =
            output_dir::open(&self.recipe, self.source, truncation, self.checkpoint.as_ref())?;
        match (self.fit(loaded, &mut directory), self.interrupt.signal()) {
            (Err(error), _) => Err(output_dir::abandon(directory, error)),
            (Ok(fitted), Some(signal)) if fitted.report.interrupted => {
                Err(output_dir::interrupted(directory, fitted.report.global_step, signal))
            }
            (Ok(fitted), _) => self.finish(directory, &fitted),
        }
    }

    fn plan_memory(&self, loaded: &LoadedModel) -> Option<MemoryPlan> {
        let data = self.encoded.data(&self.context);
        let train = self.train_config().ok()?;
        let recipe = Recipe { train, ..self.recipe.clone() };
        MemoryPlan::new(&recipe, &self.context, self.source, &loaded.model, &data)
    }

    /// Returns the training settings with label ids instead of label names.
    fn train_config(&self) -> Result<TrainConfig, CliError> {
        Ok(self.recipe.train.resolve_label_names(&self.source.config.label_names())?)
    }

    fn describe(&self, plan: Option<&MemoryPlan>) {
        describe::examples(self.examples);
        describe::tokens(&self.encoded.train.texts, &self.recipe.train);
        plan.into_iter().flat_map(MemoryPlan::lines).for_each(output::print);
    }

    fn fit(&self, loaded: LoadedModel, directory: &mut RunDirectory) -> Result<Fitted, CliError> {
        describe::weights(&loaded, self.source, &self.recipe);
        let products = self.context.precision(self.recipe.train.precision());
        output::print(format_args!("matrix products: {products}"));
        let model = loaded.model;
        let config = &self.train_config()?;
        let mut data = self.encoded.data(&self.context);
        data.eval = data.eval.filter(|_| config.eval_strategy != IntervalStrategy::No);
        let labels = self.source.config.label_names();
        let num_parameters = model.lora().map(|_| count_parameters(&model).all);
        let on_save_error = self.recipe.output.on_save_error;
        let mut watch = Watch::new(directory, &self.interrupt, labels, num_parameters, on_save_error);
        let mut on_event = |event: Event<'_>| watch.handle(event);
        let Some(checkpoint) = &self.checkpoint else { return Ok(fit(model, data, config, &mut on_event)?) };
        let (path, state) = (checkpoint.path().display(), checkpoint.state());
        output::print(format_args!(
            "resuming from {path}: step {}, epoch {:.2}",
            state.step(),
            state.epoch()
        ));
        let from = checkpoint.resume(&model, self.best_model(checkpoint)?)?;
        Ok(fit_from(model, from, data, config, &mut on_event)?)
    }

    /// Loads the best model so far, for a resumed run that keeps it.
    fn best_model(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<Option<AutoModelForSequenceClassification>, CliError> {
        let load = |path| self.source.load_checkpoint(path, self.recipe.train.seed, &self.context.device);
        Ok(checkpoint.best_model().map(load).transpose()?.map(|loaded| loaded.model.valid()))
    }

    fn batching(&self) -> Batching {
        let max_length = self.encoded.train.texts.limit().max_length();
        self.recipe.train.evaluation_batching(max_length, self.context.padding)
    }

    /// Evaluates the final weights, prints the results and gives the run directory its name.
    fn finish(&self, mut directory: RunDirectory, fitted: &Fitted) -> Result<(), CliError> {
        report::epochs(&fitted.report.log_history).iter().for_each(output::print);
        if let Some(metric) = self.recipe.train.best_model_metric() {
            report::best_model(fitted, metric).iter().for_each(output::print);
            report::undefined_metric(&fitted.report, metric).iter().for_each(output::warn);
        }
        directory.set_thresholds(self.encoded.metrics.thresholds.clone())?;
        let card = model_card(&self.recipe, self.source, self.examples, &self.encoded);
        let data = self.encoded.data(&self.context);
        let evaluation = match data.eval.map(|eval| self.evaluate(eval, fitted, &mut directory)).transpose() {
            Ok(evaluation) => evaluation,
            Err(error) => {
                let error = self.interrupt.signal().map_or(error, output_dir::interrupted_evaluation);
                return Err(output_dir::keep_unevaluated(directory, fitted, &card, error));
            }
        };
        let output_dir = output_dir::finish(directory, fitted, evaluation.as_ref(), &card)?;
        output::print(report::summary(&fitted.report));
        output::print(next_command(&output_dir, evaluation.is_some()));
        Ok(())
    }

    /// Evaluates the final weights, and prints the metrics and some predictions. Saves fitted thresholds.
    fn evaluate(
        &self,
        eval: LabelledTexts<'_>,
        fitted: &Fitted,
        directory: &mut RunDirectory,
    ) -> Result<Evaluation, CliError> {
        let (limit, batching) = (self.encoded.train.texts.limit(), self.batching());
        let (tokenizer, interrupt) = (&self.source.tokenizer, &self.interrupt);
        let model = FinalModel { fitted, tokenizer, limit, batching, interrupt };
        let fingerprint =
            self.examples.eval.as_ref().map(|eval| eval_fingerprint::as_result(eval.fingerprint));
        fingerprint.into_iter().for_each(|it| directory.add_results(it));
        let metrics = &self.encoded.metrics;
        let (evaluation, thresholds) = if self.recipe.data.fit_threshold.is_some() {
            let (evaluation, thresholds) = model.evaluate_with_fitted_thresholds(eval)?;
            directory.set_thresholds(Some(thresholds.clone()))?;
            (evaluation, Some(thresholds))
        } else {
            (model.evaluate(eval, metrics)?, metrics.thresholds.clone())
        };
        let labels = self.source.config.label_names();
        output::print(report::evaluation(&evaluation, &labels, metrics.pos_label));
        if let Some(EvalExamples { dataset, .. }) = &self.examples.eval {
            output::print(model.sample_predictions(dataset, thresholds.as_deref())?);
        }
        if let (Some(eval), Some(rows)) = (&self.encoded.mismatched, &self.examples.mismatched) {
            let evaluation = model.evaluate_again(eval.labelled(), metrics)?;
            output::print(format_args!("{}:", rows.name));
            output::print(report::evaluation(&evaluation, &labels, metrics.pos_label));
            directory.add_results(with_suffix(&evaluation));
        }
        Ok(evaluation)
    }
}

/// Returns the numbers of MNLI's second evaluation with the keys of `run_glue.py`, such as `eval_accuracy_mm`.
fn with_suffix(evaluation: &Evaluation) -> Map<String, Value> {
    let results = serde_json::to_value(evaluation).expect("metrics are JSON");
    let results = results.as_object().cloned().unwrap_or_default();
    results.into_iter().map(|(key, value)| (format!("{key}_mm"), value)).collect()
}

/// Suggests a prediction, or an evaluation if the run had none.
fn next_command(output_dir: &Path, is_evaluated: bool) -> String {
    let dir = output_dir.display();
    if is_evaluated {
        format!("saved to {dir}; try: embert predict --model {dir} \"This movie is good\"")
    } else {
        format!(
            "saved to {dir}; try: embert evaluate --model {dir} --dataset FILE (nothing was evaluated: eval_strategy is no)"
        )
    }
}
