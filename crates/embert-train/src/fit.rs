//! The training loop: windows of micro-batches, gradients, a check, a clipped AdamW step, and events in between.

mod after_step;
mod pending_metrics;
mod reading;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use embert_inference::device_of;
use embert_kernels::{DropoutStream, is_asynchronous};
use embert_model::ForwardContext;
use embert_text::Padding;

use crate::answer::Answer;
use crate::batches::{LabelledBatch, LabelledTexts};
use crate::best_model::Judge;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::config_error::ConfigError;
use crate::error::TrainError;
use crate::evaluate::check_pos_label;
use crate::event::{Event, RunPlan, TrainReport};
use crate::fingerprint::Fingerprints;
use crate::freezing::{Freezing, num_trainable};
use crate::journal::Journal;
use crate::loss_scale::LossScale;
use crate::model::Model;
use crate::objective::Objective;
use crate::optimizer::{AdamW, OptimizerState};
use crate::resume::Resume;
use crate::schedule::Schedule;
use crate::state::TrainState;
use crate::step::{Backward, StepGradients, step_gradients};
use pending_metrics::PendingMetrics;

/// The examples of a run, and the devices and padding of its batches.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// The examples to learn from.
    pub train: LabelledTexts<'a>,
    /// The examples that `eval_strategy` evaluates.
    pub eval: Option<LabelledTexts<'a>>,
    /// What shorter texts are filled up to: nothing on a CPU, a multiple of 64 on a GPU.
    pub padding: Padding,
    /// Further devices, with autodiff, that compute a share of every step.
    pub replicas: &'a [Device],
    /// The label that F1, precision and recall of an evaluation are of. Not given: label 1 of two, the mean over more.
    pub pos_label: Option<usize>,
}

/// A trained model and the report of its training.
#[derive(Debug)]
pub struct Fitted {
    /// The model, without autodiff.
    pub model: Model,
    /// Optimizer steps made when it had these weights: fewer than the run's where the best model was loaded at its end.
    pub model_step: usize,
    /// The figures of the run.
    pub report: TrainReport,
}

/// Trains `model` on its own device.
///
/// The order of the examples is a function of (seed, epoch), dropout one of (seed, step, example): two runs with one
/// seed are equal. `on_event` hears all that happens; when it answers `Break`, the run ends after the current step with
/// a checkpoint, and its report says `interrupted`.
///
/// # Errors
/// Before the first step for settings, labels or examples that cannot be; [`TrainError::Diverged`] and
/// [`TrainError::DivergedWeights`] when a loss, a gradient norm or a weight is not finite; whatever `on_event` returns.
pub fn fit(
    model: Model,
    data: TrainData<'_>,
    config: &TrainConfig,
    on_event: &mut dyn FnMut(Event<'_>) -> Answer,
) -> Result<Fitted, TrainError> {
    let (state, optimizer) = (TrainState::default(), OptimizerState::default());
    let begin = Resume { state, optimizer, best_model: None };
    fit_from(model, begin, data, config, on_event)
}

/// Resumes a run. On one kind of processor the result is bit-identical to that of an uninterrupted run.
///
/// `model` holds the weights of the checkpoint. `config` must be that of the run; other epochs, steps and intervals of
/// logging and saving are allowed.
///
/// # Errors
/// Those of [`fit`], [`TrainError::OtherData`], [`TrainError::OtherWeights`] and [`TrainError::AlreadyDone`].
pub fn fit_from(
    model: Model,
    mut from: Resume,
    data: TrainData<'_>,
    config: &TrainConfig,
    on_event: &mut dyn FnMut(Event<'_>) -> Answer,
) -> Result<Fitted, TrainError> {
    check(&model, &data, config)?;
    check_is_ahead(from.state.step, config.total_steps(data.train.texts.len()))?;
    from.state.loss_scale = from.state.loss_scale.or(config.fp16.then(LossScale::default));
    let model = model.train();
    from.state.fingerprints = Some(fingerprints(&model, &data, from.state.fingerprints)?);
    let freezing = Freezing::new(&config.freeze, &config.gradual_unfreezing, &model)?;
    let epoch = from.state.step / config.steps_per_epoch(data.train.texts.len());
    let model = freezing.apply(model, epoch as u64);
    let plan = plan(&model, &data, config, from.state.step);
    let best = from.state.judged.best.map(|best| best.step);
    let mut run = Run {
        data,
        config,
        schedule: config.schedule(plan.total_steps),
        objective: config.objective(data.train.targets, model.num_labels())?,
        freezing,
        optimizer: AdamW::with_state(config.adamw(), from.optimizer),
        judge: config.judge(),
        best_model: from.best_model.zip(best),
        saved: Some(from.state.step).filter(|_| !from.state.evaluation_due),
        last_rows: vec![],
        is_asynchronous: is_asynchronous(&device_of(&model)),
        pending: vec![],
        busy: Duration::ZERO,
        read_at: None,
        journal: Journal::new(plan, from.state),
        on_event,
    };
    let (model, flow) = run.train(model)?;
    run.finish(model.valid(), flow)
}

/// Returns the current fingerprints; fails if they differ from the checkpoint's.
fn fingerprints(
    model: &Model,
    data: &TrainData<'_>,
    begun_with: Option<Fingerprints>,
) -> Result<Fingerprints, TrainError> {
    let now = Fingerprints::of([data.train].into_iter().chain(data.eval), model);
    match begun_with {
        Some(begun_with) if begun_with.data != now.data => Err(TrainError::OtherData),
        Some(begun_with) if begun_with.frozen_weights != now.frozen_weights => Err(TrainError::OtherWeights),
        _ => Ok(now),
    }
}

fn check_is_ahead(step: usize, total_steps: usize) -> Result<(), TrainError> {
    if step > total_steps { Err(TrainError::AlreadyDone { step, total_steps }) } else { Ok(()) }
}

/// Checks settings, examples, targets and the patterns of `freeze` and `gradual_unfreezing`, as [`fit`] does before its
/// first step.
///
/// # Errors
/// The first error that [`fit`] would return.
pub fn check(model: &Model, data: &TrainData<'_>, config: &TrainConfig) -> Result<(), TrainError> {
    config.validate()?;
    let num_labels = model.num_labels();
    data.train.check(num_labels)?;
    check_evaluation(data, config.eval_strategy, num_labels)?;
    config.objective(data.train.targets, num_labels)?;
    Freezing::new(&config.freeze, &config.gradual_unfreezing, &model.clone().train()).map(drop)
}

fn check_evaluation(
    data: &TrainData<'_>,
    strategy: IntervalStrategy,
    num_labels: usize,
) -> Result<(), TrainError> {
    check_pos_label(data.pos_label, num_labels)?;
    match data.eval {
        Some(eval) => eval.check(num_labels),
        None if strategy == IntervalStrategy::No => Ok(()),
        None => Err(TrainError::Config(ConfigError {
            key: "eval_strategy",
            found: format!("{strategy:?}").to_lowercase(),
            expected: "\"no\" where there are no examples to evaluate",
        })),
    }
}

fn plan(model: &Model, data: &TrainData<'_>, config: &TrainConfig, first_step: usize) -> RunPlan {
    let num_examples = data.train.texts.len();
    let (steps_per_epoch, total_steps) =
        (config.steps_per_epoch(num_examples), config.total_steps(num_examples));
    RunPlan {
        num_examples,
        num_train_epochs: total_steps as f64 / steps_per_epoch as f64,
        per_device_train_batch_size: config.per_device_train_batch_size,
        gradient_accumulation_steps: config.gradient_accumulation_steps,
        steps_per_epoch,
        total_steps,
        first_step,
        num_trainable_parameters: num_trainable(model),
        num_parameters: model.num_params(),
    }
}

/// A run in progress.
struct Run<'a, 'b> {
    data: TrainData<'a>,
    config: &'a TrainConfig,
    schedule: Schedule,
    objective: Objective,
    freezing: Freezing<'a>,
    optimizer: AdamW,
    journal: Journal,
    judge: Option<Judge>,
    /// The weights of the best evaluation under `load_best_model_at_end`, and the step that made them.
    best_model: Option<(Model, usize)>,
    /// The last step that is saved in a checkpoint, its evaluation included.
    saved: Option<usize>,
    /// The training examples of the last step.
    last_rows: Vec<usize>,
    /// The device computes while the loop continues, so each reading waits for it.
    is_asynchronous: bool,
    pending: Vec<PendingMetrics>,
    /// Time that steps have taken since metrics were last read.
    busy: Duration,
    read_at: Option<Instant>,
    on_event: &'b mut dyn FnMut(Event<'_>) -> Answer,
}

impl Run<'_, '_> {
    fn train(&mut self, mut model: Model) -> Result<(Model, ControlFlow<()>), TrainError> {
        let mut flow = (self.on_event)(Event::Started(self.journal.plan))?;
        if flow.is_continue() && self.journal.state.step > 0 {
            flow = self.after_step(&model)?; // an evaluation that was interrupted
        }
        while flow.is_continue() && !self.is_over() {
            (model, flow) = self.epoch(model)?;
        }
        if flow.is_break() && self.saved != Some(self.journal.state.step) {
            let _ = self.save(&model)?; // there is nothing left to stop
        }
        Ok((model, flow))
    }

    /// Trains the rest of the current epoch.
    fn epoch(&mut self, mut model: Model) -> Result<(Model, ControlFlow<()>), TrainError> {
        let steps_per_epoch = self.journal.plan.steps_per_epoch;
        let (epoch, done) =
            (self.journal.state.step / steps_per_epoch, self.journal.state.step % steps_per_epoch);
        let mut flow = ControlFlow::Continue(());
        if done == 0 {
            (model, flow) = self.unfreeze(model, epoch as u64)?;
        }
        let windows = self.windows(epoch as u64);
        for (index, rows) in windows.into_iter().enumerate().skip(done) {
            if flow.is_break() || self.is_over() {
                break;
            }
            model = self.step(model, rows, self.epoch_after(epoch as u64, index))?;
            self.journal.state.evaluation_due =
                self.is_due(self.config.eval_strategy, self.config.steps_between_evaluations());
            flow = self.after_step(&model)?;
        }
        Ok((model, flow))
    }

    /// Logs the last steps and returns the final weights.
    fn finish(mut self, model: Model, flow: ControlFlow<()>) -> Result<Fitted, TrainError> {
        self.check_weights(&model)?;
        let interrupted = self.log_steps()?.is_break() || flow.is_break();
        let last = (model, self.journal.state.step);
        let (model, model_step) = self.best_model.filter(|_| !interrupted).unwrap_or(last);
        let report = self.journal.into_report(interrupted);
        let _ = (self.on_event)(Event::Finished(&report))?; // there is nothing left to stop
        Ok(Fitted { model, model_step, report })
    }

    /// Unfreezes the parameters whose epoch begins.
    fn unfreeze(&mut self, model: Model, epoch: u64) -> Result<(Model, ControlFlow<()>), TrainError> {
        if epoch == 0 || !self.freezing.changes_at(epoch) {
            return Ok((model, ControlFlow::Continue(())));
        }
        let model = self.freezing.apply(model, epoch);
        let flow =
            (self.on_event)(Event::Unfrozen { epoch, num_trainable_parameters: num_trainable(&model) })?;
        Ok((model, flow))
    }

    /// Returns the rows of each optimizer step of an epoch.
    fn windows(&self, epoch: u64) -> Vec<Vec<usize>> {
        self.config.windows(&self.data.train.texts.lengths(), epoch)
    }

    fn step(&mut self, model: Model, rows: Vec<usize>, epoch: f64) -> Result<Model, TrainError> {
        let begin = Instant::now();
        let learning_rate = self.learning_rate();
        let step = self.gradients(&model, &rows);
        let metrics = PendingMetrics::new(&step, self.journal.state.step + 1, epoch, learning_rate, &rows);
        let makes_step = self.check(&metrics)?;
        self.pending.push(metrics);
        let model = if makes_step { self.update(model, step, learning_rate) } else { model };
        self.last_rows = rows;
        self.journal.advance(epoch);
        self.busy += begin.elapsed();
        Ok(model)
    }

    /// Returns the learning rate of the next step. Steps that fp16 skipped do not count, as in transformers.
    fn learning_rate(&self) -> f64 {
        let TrainState { step, loss_scale, .. } = &self.journal.state;
        self.schedule.learning_rate(step - loss_scale.map_or(0, |scale| scale.skipped))
    }

    fn update(&mut self, model: Model, step: StepGradients, learning_rate: f64) -> Model {
        let scale = step.scale(self.config.max_grad_norm);
        self.optimizer.step(model, step.gradients, scale, learning_rate)
    }

    fn gradients(&self, model: &Model, rows: &[usize]) -> StepGradients {
        let of_a_device = rows.len().div_ceil(1 + self.data.replicas.len());
        let micro_batches = rows.chunks(self.config.per_device_train_batch_size.min(of_a_device));
        let window = micro_batches
            .map(|rows| self.data.train.batch(rows, self.data.padding))
            .collect::<Vec<LabelledBatch>>();
        let dropout =
            DropoutStream { seed: self.config.seed, step: self.journal.state.step as u64, first_sequence: 0 };
        let pass = ForwardContext { precision: self.config.precision(), dropout: Some(dropout) };
        let loss_scale = self.journal.state.loss_scale.map_or(1.0, |scale| scale.factor);
        let gradient_checkpointing = self.config.gradient_checkpointing;
        let backward = Backward { gradient_checkpointing, loss_scale, replicas: self.data.replicas };
        step_gradients(model, &window, &self.objective, pass, backward)
    }

    fn is_over(&self) -> bool {
        self.journal.state.stopped_early || self.journal.state.step >= self.journal.plan.total_steps
    }

    /// Returns the epochs completed after step `index` of epoch `epoch`, counted in micro-batches as transformers does.
    fn epoch_after(&self, epoch: u64, index: usize) -> f64 {
        let num_batches = self.journal.plan.num_examples.div_ceil(self.config.per_device_train_batch_size);
        let done = ((index + 1) * self.config.gradient_accumulation_steps).min(num_batches);
        epoch as f64 + done as f64 / num_batches as f64
    }
}
