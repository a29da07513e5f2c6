//! `embert train`: recipe in, run directory out.

use std::path::Path;

use clap::ArgMatches;
use embert_data::ClassBalance;
use embert_model::count_parameters;
use embert_text::EncodedTexts;
use embert_train::{
    Batching, Evaluation, Event, Fitted, LabelledTexts, LogEntry, ModelCard, OnExisting, RunDirectory,
    RunPlan, StepLog, TrainData, evaluate, fit, predict, predicted_label, probabilities,
};

use crate::device::{self, Place};
use crate::error::CliError;
use crate::examples::{self, Examples};
use crate::interrupt::Interrupt;
use crate::model_source::{LoadedModel, ModelSource};
use crate::progress::Bar;
use crate::recipe::Recipe;
use crate::{recipe_files, report, warnings};

/// Runs the command.
pub(crate) fn run(matches: &ArgMatches) -> Result<(), CliError> {
    let recipe = recipe_files::resolve(matches)?;
    let recipe_text = toml::to_string_pretty(&recipe).expect("a recipe is TOML");
    if matches.get_flag("print_config") {
        print!("{recipe_text}");
        return Ok(());
    }
    tracing::debug!(recipe = %recipe_text, "resolved");
    let place = device::open(matches.get_one::<String>("device").expect("--device has a default"))?;
    let examples = examples::read_examples(&recipe.data)?;
    let source = ModelSource::of_recipe(&recipe, &examples.train)?;
    let (run, model, directory) = Run::prepare(&recipe, &recipe_text, place, &examples, &source)?;
    run.train(model, directory)
}

struct Run<'a> {
    recipe: &'a Recipe,
    place: Place,
    examples: &'a Examples,
    source: &'a ModelSource,
    train: EncodedTexts,
    eval: EncodedTexts,
    interrupt: Interrupt,
}

impl<'a> Run<'a> {
    fn prepare(
        recipe: &'a Recipe,
        recipe_text: &str,
        place: Place,
        examples: &'a Examples,
        source: &'a ModelSource,
    ) -> Result<(Self, Result<LoadedModel, CliError>, RunDirectory), CliError> {
        let limit = examples::limit(&recipe.data, source.config.max_position_embeddings())?;
        let output_dir = Path::new(&recipe.output.output_dir);
        let on_existing = match recipe.output.overwrite_output_dir {
            true => OnExisting::Replace,
            false => OnExisting::Refuse,
        };
        let (train_config, tokenizer) = (&recipe.train, &source.tokenizer);
        let directory = RunDirectory::create(
            output_dir,
            on_existing,
            train_config,
            &source.config,
            tokenizer,
            recipe_text,
        )?;
        let directory = match source.lora() {
            Some(lora) => directory.with_adapter(lora, &recipe.model.model_name_or_path),
            None => directory,
        };
        let interrupt = Interrupt::listen().map_err(CliError::failed)?;
        let (train_texts, _) = examples::columns(&examples.train);
        let (eval_texts, _) = examples::columns(&examples.eval);
        let encode = |texts: &[&str]| examples::encode(tokenizer, texts, limit);
        let (model, (train, eval)) = rayon::join(
            || source.load(train_config.seed, &place.device),
            || (encode(&train_texts), encode(&eval_texts)),
        );
        Ok((Self { recipe, place, examples, source, train, eval, interrupt }, model, directory))
    }

    fn train(
        &self,
        loaded: Result<LoadedModel, CliError>,
        mut directory: RunDirectory,
    ) -> Result<(), CliError> {
        self.describe_data();
        for warning in warnings::before_training(self.recipe, self.examples) {
            warnings::print(&warning);
        }
        let (_, eval_labels) = examples::columns(&self.examples.eval);
        let eval = LabelledTexts { texts: &self.eval, labels: &eval_labels };
        let fitted = match self.fit(loaded, &mut directory, eval) {
            Ok(fitted) => fitted,
            Err(error) => {
                directory.discard_unstarted()?;
                return Err(error);
            }
        };
        if let Some(signal) = self.interrupt.signal() {
            return leave_interrupted(directory, &fitted, signal);
        }
        self.finish(directory, &fitted, eval)
    }

    fn fit(
        &self,
        loaded: Result<LoadedModel, CliError>,
        directory: &mut RunDirectory,
        eval: LabelledTexts<'_>,
    ) -> Result<Fitted, CliError> {
        let loaded = loaded?;
        self.describe_model(&loaded.newly_initialized);
        let (_, train_labels) = examples::columns(&self.examples.train);
        let data = TrainData {
            train: LabelledTexts { texts: &self.train, labels: &train_labels },
            eval: Some(eval),
            padding: self.place.padding,
        };
        let labels = self.source.config.label_names();
        let num_parameters = self.source.lora().map(|lora| count_parameters(&loaded.model, lora).all);
        let mut watch = Watch { directory, interrupt: &self.interrupt, labels, num_parameters, bar: None };
        Ok(fit(loaded.model, data, &self.recipe.train, &mut |event| watch.hear(event))?)
    }

    fn describe_data(&self) {
        let Examples { train, eval, eval_name } = self.examples;
        println!("train: {} texts, {}", report::grouped(train.len()), ClassBalance::of(train));
        println!("eval:  {} texts ({eval_name}), {}", report::grouped(eval.len()), ClassBalance::of(eval));
        println!("{}", report::lengths(&self.train));
        let train = &self.recipe.train;
        println!("{}", report::padding(&self.train, train.per_device_train_batch_size, train.seed));
    }

    fn describe_model(&self, newly_initialized: &[String]) {
        if let Some(precision) = self.place.precision(self.recipe.train.precision()) {
            println!("matrix products: {precision}");
        }
        if self.source.directory.is_none() {
            println!(
                "Random weights and a vocabulary of the training texts: a demonstration, not a model to use."
            );
        } else if !newly_initialized.is_empty() {
            println!(
                "Some weights of {} were not initialized from the model checkpoint at {} and are \
                 newly initialized: {newly_initialized:?}\nYou should probably TRAIN this model on a down-stream task to be \
                 able to use it for predictions and inference.",
                self.source.config.architecture(),
                self.recipe.model.model_name_or_path
            );
        }
    }

    /// The last evaluation of training, or a new one where training ended without.
    fn evaluation(&self, fitted: &Fitted, eval: LabelledTexts<'_>) -> Result<Evaluation, CliError> {
        let log = &fitted.report.log_history;
        let last = log.iter().rev().find_map(|entry| match entry {
            LogEntry::Evaluation { step, evaluation, .. } if *step == fitted.model_step => Some(evaluation),
            _ => None,
        });
        match last {
            Some(evaluation) => Ok(evaluation.clone()),
            None => {
                let bar = Bar::items("Evaluating", eval.labels.len());
                let mut watch = |progress: embert_train::Progress| {
                    bar.set(progress.done as u64);
                    Ok(self.interrupt.flow())
                };
                Ok(evaluate(&fitted.model, eval, self.batching(), &mut watch)?)
            }
        }
    }

    fn batching(&self) -> Batching {
        self.recipe.train.evaluation_batching(self.eval.limit().max_length(), self.place.padding)
    }

    fn finish(
        &self,
        directory: RunDirectory,
        fitted: &Fitted,
        eval: LabelledTexts<'_>,
    ) -> Result<(), CliError> {
        let evaluation = self.evaluation(fitted, eval)?;
        let labels = self.source.config.label_names();
        if let Some(epochs) = report::epochs(&fitted.report.log_history) {
            println!("{epochs}");
        }
        if let Some(metric) = self.recipe.train.best_model_metric() {
            report::best_model(fitted, metric).iter().for_each(|line| println!("{line}"));
        }
        println!("{}\n{}", report::figures(&evaluation), report::confusion(&evaluation, &labels));
        println!("{}", self.samples(fitted, &labels)?);
        let card = self.card();
        let (model, report) = (&fitted.model, &fitted.report);
        let output_dir = directory.finish(model, report, Some(&evaluation), &card)?;
        println!(
            "{} steps in {:.1} s: {:.2} samples/s, {:.0} tokens/s, mean loss {:.4}\nsaved to {dir}; try: embert predict --model {dir} \"This movie is good\"",
            report.global_step,
            report.train_runtime,
            report.train_samples_per_second,
            report.train_tokens_per_second,
            report.train_loss,
            dir = output_dir.display(),
        );
        Ok(())
    }

    /// The first ten texts of the evaluation set.
    fn samples(&self, fitted: &Fitted, labels: &[String]) -> Result<String, CliError> {
        let shown = &self.examples.eval.examples[..self.examples.eval.len().min(10)];
        let texts = shown.iter().map(|example| example.text.as_str()).collect::<Vec<_>>();
        let texts = self.source.tokenizer.encode_all(&texts, self.eval.limit(), &|_| {});
        let logits = predict(&fitted.model, &texts, self.batching(), &mut |_| Ok(self.interrupt.flow()))?;
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
        let Recipe { model, data, output, .. } = self.recipe;
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
            eval_split: self.examples.eval_name.clone(),
        }
    }
}

/// Keeps the weights of an interrupted run, without the name of a finished one.
fn leave_interrupted(mut directory: RunDirectory, fitted: &Fitted, signal: usize) -> Result<(), CliError> {
    let report = &fitted.report;
    let saved = directory.record(&Event::CheckpointDue {
        step: report.global_step,
        epoch: report.epoch,
        model: &fitted.model,
        log_history: &report.log_history,
        best: report.best,
    })?;
    let saved = saved.expect("a checkpoint that is due is written");
    let message =
        format!("interrupted after step {}; the weights are in {}", report.global_step, saved.display());
    Err(CliError::interrupted(message, signal))
}

/// Shows and keeps what happens while a model trains.
struct Watch<'a> {
    directory: &'a mut RunDirectory,
    interrupt: &'a Interrupt,
    labels: Vec<String>,
    /// As PEFT counts them, where there are adapters.
    num_parameters: Option<usize>,
    bar: Option<Bar>,
}

impl Watch<'_> {
    fn hear(&mut self, event: Event<'_>) -> embert_train::Answer {
        let checkpoint = self.directory.record(&event)?;
        match &event {
            Event::Started(plan) => {
                let num_parameters = self.num_parameters.unwrap_or(plan.num_parameters);
                println!("{}", report::plan(&RunPlan { num_parameters, ..*plan }));
                self.bar = Some(Bar::steps(plan.total_steps));
            }
            Event::Step(line) => self.show_step(line),
            Event::Logged(entry) | Event::Evaluated(entry) => {
                self.print(&line(entry));
                self.warn_of(entry);
            }
            Event::Unfrozen { epoch, num_trainable_parameters } => {
                let trainable = report::grouped(*num_trainable_parameters);
                self.print(&format!("epoch {epoch} unfreezes: trainable params: {trainable}"));
            }
            Event::Finished(_) => self.bar = None,
            _ => {}
        }
        if let Some(path) = checkpoint {
            self.print(&format!("saved {}", path.display()));
        }
        Ok(self.interrupt.flow())
    }

    fn show_step(&self, line: &StepLog) {
        let Some(bar) = &self.bar else { return };
        bar.set(line.step as u64);
        bar.describe(format!("loss {:.4} {:.0} tokens/s", line.loss, line.tokens_per_second));
    }

    fn warn_of(&self, entry: &LogEntry) {
        let LogEntry::Evaluation { evaluation, .. } = entry else { return };
        let Some(warning) = warnings::one_label(&evaluation.metrics, &self.labels) else { return };
        match &self.bar {
            Some(bar) => bar.warn(&warning),
            None => warnings::print(&warning),
        }
    }

    fn print(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.print(line),
            None => println!("{line}"),
        }
    }
}

/// A line of the log as JSON, to four digits; `metrics.jsonl` has all of them.
fn line(entry: &LogEntry) -> String {
    let mut line = serde_json::to_value(entry).expect("a log line is JSON");
    for figure in line.as_object_mut().expect("a log line is an object").values_mut() {
        if let Some(exact) = figure.as_f64().filter(|_| figure.is_f64()) {
            *figure = format!("{exact:.3e}").parse::<f64>().expect("a number was written").into();
        }
    }
    line.to_string()
}
