//! The training loop: gradients of a window of micro-batches, a finiteness check, clipping, AdamW, events.

mod after_step;
mod pending_metrics;
mod read_metrics;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Device;
use embert_inference::{check_token_types, device_of};
use embert_kernels::{DropoutStream, is_asynchronous};
use embert_model::ForwardContext;
use embert_text::Padding;

use crate::batches::{LabelledBatch, LabelledTexts};
use crate::best_model::BestModelTracker;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::config_error::ConfigError;
use crate::error::TrainError;
use crate::evaluate::check_options;
use crate::event::{Event, RunPlan, TrainReport};
use crate::event_result::EventResult;
use crate::fingerprint::Fingerprints;
use crate::freezing::{Freezing, num_trainable};
use crate::loss_scale::LossScale;
use crate::metrics::MetricOptions;
use crate::model::Model;
use crate::objective::Objective;
use crate::optimizer::AdamW;
use crate::optimizer_state::OptimizerState;
use crate::resume_state::ResumeState;
use crate::schedule::Schedule;
use crate::state::TrainState;
use crate::step::{BackwardOptions, StepGradients, step_gradients};
use crate::training_log::TrainingLog;
use pending_metrics::PendingMetrics;

/// The examples of a run, its padding and its additional devices.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// The training examples.
    pub train: LabelledTexts<'a>,
    /// The evaluation examples, required unless `eval_strategy` is `no`.
    pub eval: Option<LabelledTexts<'a>>,
    /// The padding of a batch: `Packed` on a CPU, `MultipleOf(64)` on a GPU.
    pub padding: Padding,
    /// Additional devices, with autodiff, for data parallelism.
    pub replicas: &'a [Device],
    /// The options of the metrics of evaluations.
    pub metric_options: MetricOptions<'a>,
}

/// A trained model and the report of its training.
#[derive(Debug)]
pub struct Fitted {
    /// The model, without autodiff.
    pub model: Model,
    /// The optimizer step of these weights. With `load_best_model_at_end`, it can be less than the last step.
    pub model_step: usize,
    /// The results of the run.
    pub report: TrainReport,
}

/// Trains `model` on its own device.
///
/// The order of the examples depends on (seed, epoch) only, dropout on (seed, step, example) only. So two runs with one
/// seed are equal. `on_event` receives every [`Event`]. If it returns `Break`, the run ends after the current step with
/// a checkpoint, and `interrupted` is true in its report.
///
/// # Errors
/// - The errors of [`check`], before the first step.
/// - [`TrainError::Diverged`] and [`TrainError::DivergedWeights`] if a loss, gradient norm or weight is not finite.
/// - Any error that `on_event` returns.
pub fn fit(
    model: Model,
    data: TrainData<'_>,
    config: &TrainConfig,
    on_event: &mut dyn FnMut(Event<'_>) -> EventResult,
) -> Result<Fitted, TrainError> {
    let (state, optimizer) = (TrainState::default(), OptimizerState::default());
    let begin = ResumeState { state, optimizer, best_model: None };
    fit_from(model, begin, data, config, on_event)
}

/// Resumes a run. On one kind of processor, the result is bit-identical to that of an uninterrupted run.
///
/// `model` has the weights of the checkpoint. `config` must equal that of the run, except for the number of epochs and
/// steps and the intervals of logging and saving.
///
/// # Errors
/// The errors of [`fit`], [`TrainError::OtherData`], [`TrainError::OtherWeights`] and [`TrainError::AlreadyDone`].
pub fn fit_from(
    model: Model,
    mut from: ResumeState,
    data: TrainData<'_>,
    config: &TrainConfig,
    on_event: &mut dyn FnMut(Event<'_>) -> EventResult,
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
    let best = from.state.best_model.best.map(|best| best.step);
    let mut training = TrainingLoop {
        data,
        config,
        schedule: config.schedule(plan.total_steps)?,
        objective: config.objective(data.train.targets, model.num_labels())?,
        freezing,
        optimizer: AdamW::with_state(config.adamw(), from.optimizer),
        best_model_tracker: config.best_model_tracker(),
        best_model: from.best_model.zip(best),
        last_saved_step: Some(from.state.step).filter(|_| !from.state.evaluation_due),
        last_rows: vec![],
        is_asynchronous: is_asynchronous(&device_of(&model)),
        pending_metrics: vec![],
        time_since_read: Duration::ZERO,
        last_read: None,
        log: TrainingLog::new(plan, from.state),
        on_event,
    };
    let (model, flow) = training.train(model)?;
    training.finish(model.valid(), flow)
}

/// Returns the current fingerprints; fails if they differ from the checkpoint's.
fn fingerprints(
    model: &Model,
    data: &TrainData<'_>,
    saved: Option<Fingerprints>,
) -> Result<Fingerprints, TrainError> {
    let now = Fingerprints::of([data.train].into_iter().chain(data.eval), model);
    match saved {
        Some(saved) if saved.data != now.data => Err(TrainError::OtherData),
        Some(saved) if saved.frozen_weights != now.frozen_weights => Err(TrainError::OtherWeights),
        _ => Ok(now),
    }
}

fn check_is_ahead(step: usize, total_steps: usize) -> Result<(), TrainError> {
    if step > total_steps { Err(TrainError::AlreadyDone { step, total_steps }) } else { Ok(()) }
}

/// Checks settings, examples, targets, and the patterns of `freeze` and `gradual_unfreezing`, without training.
///
/// # Errors
/// The first error that [`fit`] returns before its first step.
pub fn check(model: &Model, data: &TrainData<'_>, config: &TrainConfig) -> Result<(), TrainError> {
    config.validate()?;
    let num_labels = model.num_labels();
    data.train.check(num_labels)?;
    check_batches(config, data.train.texts.len())?;
    check_token_types(model, data.train.texts)?;
    check_evaluation(data, config, num_labels)?;
    config.objective(data.train.targets, num_labels)?;
    Freezing::new(&config.freeze, &config.gradual_unfreezing, &model.clone().train()).map(drop)
}

/// Fails if `dataloader_drop_last` drops all examples.
fn check_batches(config: &TrainConfig, num_examples: usize) -> Result<(), TrainError> {
    let batch_size = config.per_device_train_batch_size;
    if config.batches_per_epoch(num_examples) > 0 {
        Ok(())
    } else {
        Err(TrainError::NoFullBatch { num_examples, batch_size })
    }
}

fn check_evaluation(data: &TrainData<'_>, config: &TrainConfig, num_labels: usize) -> Result<(), TrainError> {
    let (train, strategy) = (data.train.targets, config.eval_strategy);
    check_options(data.metric_options, train, num_labels)?;
    config.best_model_metric().map_or(Ok(()), |metric| metric.check(train.problem_type()))?;
    match data.eval {
        Some(eval) if eval.targets.problem_type() != train.problem_type() => {
            Err(TrainError::OtherTargets { train: train.problem_type(), eval: eval.targets.problem_type() })
        }
        Some(eval) => eval.check(num_labels),
        None if strategy == IntervalStrategy::No => Ok(()),
        None => Err(TrainError::Config(ConfigError {
            key: "eval_strategy",
            found: format!("{strategy:?}").to_lowercase(),
            expected: "\"no\" without evaluation examples",
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
struct TrainingLoop<'a, 'b> {
    data: TrainData<'a>,
    config: &'a TrainConfig,
    schedule: Schedule,
    objective: Objective,
    freezing: Freezing<'a>,
    optimizer: AdamW,
    log: TrainingLog,
    best_model_tracker: Option<BestModelTracker>,
    /// With `load_best_model_at_end`, the best weights and their step.
    best_model: Option<(Model, usize)>,
    /// The step of the last checkpoint, if its evaluation is complete.
    last_saved_step: Option<usize>,
    /// The rows of the last step.
    last_rows: Vec<usize>,
    /// The device computes in the background, so that each read waits for it.
    is_asynchronous: bool,
    pending_metrics: Vec<PendingMetrics>,
    /// Time spent in steps since the last read.
    time_since_read: Duration,
    last_read: Option<Instant>,
    on_event: &'b mut dyn FnMut(Event<'_>) -> EventResult,
}

impl TrainingLoop<'_, '_> {
    fn train(&mut self, mut model: Model) -> Result<(Model, ControlFlow<()>), TrainError> {
        let mut flow = (self.on_event)(Event::Started(self.log.plan))?;
        if flow.is_continue() && self.log.state.step > 0 {
            flow = self.after_step(&model)?; // completes an interrupted evaluation
        }
        while flow.is_continue() && !self.is_over() {
            (model, flow) = self.epoch(model)?;
        }
        if flow.is_break() && self.last_saved_step != Some(self.log.state.step) {
            let _ = self.save(&model)?; // the run stops already
        }
        Ok((model, flow))
    }

    /// Trains the rest of the current epoch.
    fn epoch(&mut self, mut model: Model) -> Result<(Model, ControlFlow<()>), TrainError> {
        let steps_per_epoch = self.log.plan.steps_per_epoch;
        let (epoch, done) = (self.log.state.step / steps_per_epoch, self.log.state.step % steps_per_epoch);
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
            let eval_steps = self.config.steps_between_evaluations(self.log.plan.total_steps);
            self.log.state.evaluation_due = self.is_due(self.config.eval_strategy, eval_steps);
            flow = self.after_step(&model)?;
        }
        Ok((model, flow))
    }

    /// Logs the last steps and returns the final weights.
    fn finish(mut self, model: Model, flow: ControlFlow<()>) -> Result<Fitted, TrainError> {
        self.check_weights(&model)?;
        let interrupted = self.log_steps()?.is_break() || flow.is_break();
        let last = (model, self.log.state.step);
        let (model, model_step) = self.best_model.filter(|_| !interrupted).unwrap_or(last);
        let report = self.log.into_report(interrupted);
        let _ = (self.on_event)(Event::Finished(&report))?; // nothing is left to stop
        Ok(Fitted { model, model_step, report })
    }

    /// Unfreezes the parameters that train from this epoch on.
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
        let metrics = PendingMetrics::new(&step, self.log.state.step + 1, epoch, learning_rate, &rows);
        let applies = self.check(&metrics)?;
        self.pending_metrics.push(metrics);
        let model = if applies { self.update(model, step, learning_rate) } else { model };
        self.last_rows = rows;
        self.log.advance(epoch);
        self.time_since_read += begin.elapsed();
        Ok(model)
    }

    /// Returns the learning rate of the next step. Skipped fp16 steps do not count, as in transformers.
    fn learning_rate(&self) -> f64 {
        let TrainState { step, loss_scale, .. } = &self.log.state;
        self.schedule.learning_rate(step - loss_scale.map_or(0, |scale| scale.skipped))
    }

    fn update(&mut self, model: Model, step: StepGradients, learning_rate: f64) -> Model {
        let scale = step.scale(self.config.max_grad_norm);
        self.optimizer.step(model, step.gradients, scale, learning_rate)
    }

    fn gradients(&self, model: &Model, rows: &[usize]) -> StepGradients {
        let rows_per_device = rows.len().div_ceil(1 + self.data.replicas.len());
        let micro_batches = rows.chunks(self.config.per_device_train_batch_size.min(rows_per_device));
        let window = micro_batches
            .map(|rows| self.data.train.batch(rows, self.data.padding))
            .collect::<Vec<LabelledBatch>>();
        let dropout =
            DropoutStream { seed: self.config.seed, step: self.log.state.step as u64, first_sequence: 0 };
        let pass = ForwardContext { precision: self.config.precision(), dropout: Some(dropout) };
        let loss_scale = self.log.state.loss_scale.map_or(1.0, |scale| scale.factor);
        let gradient_checkpointing = self.config.gradient_checkpointing;
        let backward = BackwardOptions { gradient_checkpointing, loss_scale, replicas: self.data.replicas };
        step_gradients(model, &window, &self.objective, pass, backward)
    }

    fn is_over(&self) -> bool {
        self.log.state.stopped_early || self.log.state.step >= self.log.plan.total_steps
    }

    /// Returns the number of epochs after step `index` of `epoch`, counted in micro-batches as in transformers.
    fn epoch_after(&self, epoch: u64, index: usize) -> f64 {
        let num_batches = self.config.batches_per_epoch(self.log.plan.num_examples);
        let done = ((index + 1) * self.config.gradient_accumulation_steps).min(num_batches);
        epoch as f64 + done as f64 / num_batches as f64
    }
}
