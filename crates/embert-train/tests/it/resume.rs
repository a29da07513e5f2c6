//! Resuming: a resumed run is bit-identical to an uninterrupted run.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use embert_model::{
    Adapter, AutoModelForSequenceClassification, EncoderLayer, LoraConfig, ProblemType, add_adapter,
    from_pretrained,
};
use embert_train::{
    Checkpoint, Event, Fitted, IntervalStrategy, OnExisting, RunDirectory, RunSettings, TrainConfig,
    TrainData, TrainError, fit, fit_from,
};
use serde_json::Value;

use crate::resume_recipes::{full, lora, recipes, steps};
use crate::tiny::{self, Examples};

/// The settings of a run, and its adapter, if it trains one.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) config: TrainConfig,
    pub(crate) lora: Option<LoraConfig>,
    pub(crate) problem_type: ProblemType,
}

impl Recipe {
    fn fresh_model(&self) -> AutoModelForSequenceClassification {
        match &self.lora {
            Some(lora) => add_adapter(tiny::model(0.1), lora, 1).unwrap(),
            None if self.config.fp16 => tiny::overflowing(0.1),
            None => tiny::model(0.1),
        }
    }

    fn saved_model(&self, checkpoint: &Path) -> AutoModelForSequenceClassification {
        if let Some(lora) = &self.lora {
            return Adapter::open(checkpoint).unwrap().resume(tiny::model(0.1), &[], lora).unwrap();
        }
        let device = Device::flex().autodiff();
        from_pretrained(checkpoint, &tiny::config(0.1), 0, &device).unwrap().complete(checkpoint).unwrap()
    }

    pub(crate) fn directory(&self, output_dir: &Path, from: Option<&Checkpoint>) -> RunDirectory {
        let (refuse, mut model_config) = (OnExisting::Refuse, tiny::config(0.1));
        model_config.set_problem_type(self.problem_type);
        let settings = RunSettings {
            config: &self.config,
            model_config: &model_config,
            tokenizer: &tiny::tokenizer(),
            recipe: "",
        };
        let directory = match from {
            Some(from) => RunDirectory::resume(from, output_dir, refuse, settings),
            None => RunDirectory::create(output_dir, refuse, settings),
        };
        match &self.lora {
            Some(_) => directory.unwrap().with_adapter("base"),
            None => directory.unwrap(),
        }
    }

    /// Trains from the start or a checkpoint, until event `last_event`. Also returns the number of events.
    pub(crate) fn train(
        &self,
        output_dir: &Path,
        from: Option<&Checkpoint>,
        last_event: Option<usize>,
    ) -> (Result<Fitted, TrainError>, usize) {
        let [train, eval] = [20, 12].map(|count| Examples::of(self.problem_type, count));
        let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
        let (mut directory, mut events) = (self.directory(output_dir, from), 0);
        let mut on_event = |event: Event<'_>| {
            directory.record(&event)?;
            events += 1;
            let is_last = last_event.is_some_and(|last| events > last);
            Ok(if is_last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let fitted = match from {
            None => fit(self.fresh_model(), data, &self.config, &mut on_event),
            Some(from) => {
                let model = self.saved_model(from.path());
                let best = from.best_model().map(|path| self.saved_model(path).valid());
                let from = from.resume(&model, best).unwrap();
                fit_from(model, from, data, &self.config, &mut on_event)
            }
        };
        (fitted, events)
    }
}

/// The end of a run: its weights and its last checkpoint.
#[derive(PartialEq)]
struct FinalState {
    step: usize,
    model_step: usize,
    weights: Vec<Vec<f32>>,
    model: Vec<u8>,
    optimizer: Vec<u8>,
    log: Vec<Value>,
}

fn final_state(fitted: &Fitted, output_dir: &Path) -> FinalState {
    let partial = output_dir.with_extension("partial");
    let step = fitted.report.global_step;
    let checkpoint = partial.join(format!("checkpoint-{step}"));
    let read = |name: &str| fs::read(checkpoint.join(name));
    let model = read("model.safetensors").or_else(|_| read("adapter_model.safetensors")).unwrap();
    FinalState {
        step,
        model_step: fitted.model_step,
        weights: tiny::weights(&fitted.model),
        model,
        optimizer: read("optimizer.safetensors").unwrap(),
        log: fs::read_to_string(partial.join("metrics.jsonl")).unwrap().lines().map(without_times).collect(),
    }
}

/// Parses a line of the log and removes times and rates.
fn without_times(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line.as_object_mut()
        .unwrap()
        .retain(|key, _| !key.ends_with("_per_second") && !key.ends_with("_runtime"));
    line
}

fn assert_same(name: &str, found: &FinalState, expected: &FinalState) {
    assert_eq!((found.step, found.model_step), (expected.step, expected.model_step), "{name}");
    assert_eq!(found.log, expected.log, "{name}");
    assert!(found == expected, "{name}: the weights differ");
}

#[test]
fn a_run_resumed_from_any_checkpoint_is_bit_identical() {
    for (name, recipe) in recipes() {
        let folder = tiny::folder();
        let uninterrupted = folder.path().join("uninterrupted");
        let (fitted, _) = recipe.train(&uninterrupted, None, None);
        let fitted = fitted.unwrap();
        let expected = final_state(&fitted, &uninterrupted);
        assert!(name != "early stopping" || fitted.report.stopped_early, "the case must stop early");
        for step in 1..=expected.step {
            let from = uninterrupted.with_extension("partial").join(format!("checkpoint-{step}"));
            let from = Checkpoint::open(&from).unwrap();
            let output_dir = folder.path().join(format!("from-{step}"));
            let (fitted, _) = recipe.train(&output_dir, Some(&from), None);
            let found = final_state(&fitted.unwrap(), &output_dir);
            assert_same(&format!("{name} from step {step}"), &found, &expected);
        }
    }
}

#[test]
fn a_run_stopped_at_any_event_resumes_bit_identically() {
    for (name, recipe) in recipes() {
        let recipe = Recipe {
            config: TrainConfig { save_steps: 3.into(), num_train_epochs: 2.0, ..recipe.config },
            ..recipe
        };
        let folder = tiny::folder();
        let uninterrupted = folder.path().join("uninterrupted");
        let (fitted, events) = recipe.train(&uninterrupted, None, None);
        let expected = weights_and_log(&fitted.unwrap(), &uninterrupted);
        for last in 1..events - 1 {
            let output_dir = folder.path().join(format!("until-{last}"));
            let (stopped, _) = recipe.train(&output_dir, None, Some(last));
            assert!(stopped.unwrap().report.interrupted);
            let (newest, damaged) = Checkpoint::newest(&output_dir.with_extension("partial")).unwrap();
            assert!(damaged.is_empty(), "{damaged:?}");
            let (fitted, _) = recipe.train(&output_dir, newest.as_ref(), None);
            let found = weights_and_log(&fitted.unwrap(), &output_dir);
            assert!(found == expected, "{name}, stopped at event {last}: {:?} {:?}", found.1, expected.1);
        }
    }
}

fn weights_and_log(fitted: &Fitted, output_dir: &Path) -> (Vec<Vec<f32>>, Vec<Value>) {
    let log = fs::read_to_string(output_dir.with_extension("partial").join("metrics.jsonl")).unwrap();
    (tiny::weights(&fitted.model), log.lines().map(without_times).collect())
}

/// Returns the error of a run that resumes with these examples and, for an adapter, with this base model.
fn resume_error(recipe: &Recipe, train: &Examples, base: AutoModelForSequenceClassification) -> TrainError {
    let (folder, eval) = (tiny::folder(), Examples::new(12));
    recipe.train(&folder.path().join("run"), None, Some(4)).0.unwrap();
    let (newest, _) = Checkpoint::newest(&folder.path().join("run.partial")).unwrap();
    let from = newest.unwrap();
    let model = match &recipe.lora {
        Some(_) => Adapter::open(from.path()).unwrap().load(base, &[]).unwrap(),
        None => recipe.saved_model(from.path()),
    };
    let resume = from.resume(&model, None).unwrap();
    let data = TrainData { eval: Some(eval.labelled()), ..train.train_only() };
    fit_from(model, resume, data, &recipe.config, &mut tiny::ignore).unwrap_err()
}

#[test]
fn resuming_with_other_examples_is_an_error() {
    let recipe = full(steps());
    let error = resume_error(&recipe, &Examples::new(21), tiny::model(0.1));
    assert!(matches!(error, TrainError::OtherData), "{error}");
}

#[test]
fn resuming_an_adapter_on_another_base_model_is_an_error() {
    let mut base = tiny::model(0.1);
    let EncoderLayer::Bert(layer) = &mut base.base_model.encoder.layer[1] else { panic!("BERT's layer") };
    let bias = &mut layer.output.dense.bias;
    *bias = bias.take().map(|bias| bias.map(|bias| bias + 1e-3));
    let error = resume_error(&lora(), &Examples::new(20), base);
    assert!(matches!(error, TrainError::OtherWeights), "{error}");
}

/// Returns every file in a directory tree with its bytes.
fn tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(tree(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

#[test]
fn a_discarded_resume_of_a_finished_run_leaves_no_files() {
    let folder = tiny::folder();
    let (run, recipe) = (folder.path().join("run"), full(steps()));
    recipe.train(&run, None, None).0.unwrap();
    fs::rename(folder.path().join("run.partial"), &run).unwrap();
    fs::remove_file(run.join(".lock")).unwrap(); // the run looks finished now
    fs::write(run.join("trainer_state.json"), "{}").unwrap();
    let before = tree(folder.path());
    let from = Checkpoint::newest(&run).unwrap().0.unwrap();
    let directory = recipe.directory(&run, Some(&from));
    assert!(folder.path().join("run.partial/checkpoint-2").is_dir());
    assert_eq!(directory.last_checkpoint(), Some(from.path()));
    directory.discard_unstarted().unwrap();
    assert!(!folder.path().join("run.partial").exists());
    assert!(tree(folder.path()) == before);
}

#[test]
fn a_discarded_resume_does_not_change_an_unfinished_run() {
    let folder = tiny::folder();
    let (run, recipe) = (folder.path().join("run"), full(steps()));
    recipe.train(&run, None, Some(20)).0.unwrap();
    let before = tree(folder.path());
    let from = Checkpoint::open(&folder.path().join("run.partial/checkpoint-2")).unwrap();
    let other = full(TrainConfig { seed: 7, ..steps() });
    other.directory(&run, Some(&from)).discard_unstarted().unwrap();
    assert!(tree(folder.path()) == before);
    assert!(before.contains_key("run.partial/checkpoint-3/state.json"));
}

#[test]
fn resuming_with_fewer_steps_than_the_checkpoint_is_an_error() {
    let folder = tiny::folder();
    let (run, recipe) = (folder.path().join("run"), full(steps()));
    recipe.train(&run, None, None).0.unwrap();
    let from = Checkpoint::open(&folder.path().join("run.partial/checkpoint-7")).unwrap();
    for (change, total) in [
        (TrainConfig { num_train_epochs: 1.0, ..steps() }, 4),
        (TrainConfig { max_steps: Some(6), ..steps() }, 6),
    ] {
        let shorter = full(change);
        let error = shorter.train(&run, Some(&from), None).0.unwrap_err();
        let TrainError::AlreadyDone { step: 7, total_steps } = error else { panic!("{error}") };
        assert_eq!(total_steps, total);
        let expected = format!("the checkpoint is at step 7, but the run has only {total} steps; increase");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
    let same = full(TrainConfig { max_steps: Some(7), ..steps() });
    same.train(&run, Some(&from), None).0.unwrap();
}

#[test]
fn later_checkpoints_are_renamed_to_superseded() {
    let folder = tiny::folder();
    let recipe = full(steps());
    let run = folder.path().join("run");
    recipe.train(&run, None, Some(20)).0.unwrap();
    let partial = run.with_extension("partial");
    let from = Checkpoint::open(&partial.join("checkpoint-2")).unwrap();
    let later = fs::read(partial.join("checkpoint-3/optimizer.safetensors")).unwrap();
    recipe.train(&run, Some(&from), Some(0)).0.unwrap();
    assert!(partial.join("checkpoint-2").is_dir() && !partial.join("checkpoint-3").exists());
    assert_eq!(fs::read(partial.join("checkpoint-3.superseded/optimizer.safetensors")).unwrap(), later);
    let log = fs::read_to_string(partial.join("metrics.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 1, "only the log of step 2: {log}");
}

#[test]
fn weights_that_are_not_finite_are_neither_saved_nor_returned() {
    for save_steps in [1, 100] {
        let folder = tiny::folder();
        let config = TrainConfig {
            learning_rate: 1e300,
            warmup_steps: 0.into(),
            max_steps: Some(1),
            eval_strategy: IntervalStrategy::No,
            save_steps: save_steps.into(),
            ..steps()
        };
        let recipe = full(config);
        let error = recipe.train(&folder.path().join("run"), None, None).0.unwrap_err();
        let TrainError::DivergedWeights { step: 1, rows, .. } = &error else { panic!("{error}") };
        assert_eq!(rows.len(), 5);
        assert!(error.to_string().contains(&format!("training rows {}, ", rows[0])), "{error}");
        let (newest, damaged) = Checkpoint::newest(&folder.path().join("run.partial")).unwrap();
        assert!(newest.is_none() && damaged.is_empty());
    }
}
