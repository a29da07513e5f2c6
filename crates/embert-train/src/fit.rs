//! The training loop: windows of micro-batches, gradients, a check, a clipped AdamW step, and events in between.

use std::ops::ControlFlow;
use std::time::Instant;

use burn::module::Module;
use embert_kernels::DropoutStream;
use embert_model::{AutoModelForSequenceClassification, Pass};
use embert_text::{Padding, SamplingStrategy, training_batches};

use crate::batches::{LabelledBatch, LabelledTexts};
use crate::best_model::Judge;
use crate::clip::clip_coefficient;
use crate::config::{IntervalStrategy, TrainConfig, TrainSamplingStrategy};
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::event::{Answer, Event, RunPlan, TrainReport};
use crate::freezing::Freezing;
use crate::journal::{Journal, StepFigures};
use crate::loss::CrossEntropy;
use crate::optimizer::AdamW;
use crate::parameters::num_trainable;
use crate::schedule::Schedule;
use crate::step::{StepGradients, step_gradients};
use crate::validation::ConfigError;

/// What a run learns from, and how its batches lie in memory.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// The examples to learn from.
    pub train: LabelledTexts<'a>,
    /// The examples that `eval_strategy` evaluates.
    pub eval: Option<LabelledTexts<'a>>,
    /// What shorter texts are filled up to: nothing on a CPU, a multiple of 64 on a GPU.
    pub padding: Padding,
}

/// A trained model and what its training amounted to.
#[derive(Debug)]
pub struct Fitted {
    /// The model, without autodiff.
    pub model: AutoModelForSequenceClassification,
    /// Optimizer steps made when it had these weights: fewer than the run's where the best model was loaded at its end.
    pub model_step: usize,
    /// The figures of the run.
    pub report: TrainReport,
}

/// Trains `model` on its own device.
///
/// The order of the examples is a function of (seed, epoch), dropout one of (seed, step, example): two runs with one
/// seed are equal. `on_event` hears all that happens; when it answers `Break`, the run ends after the current step and
/// its report says `interrupted`.
///
/// # Errors
/// Before the first step for settings, labels or examples that cannot be; [`TrainError::Diverged`] when a loss or a
/// gradient norm is not finite; whatever `on_event` returns.
pub fn fit(
    model: AutoModelForSequenceClassification,
    data: TrainData<'_>,
    config: &TrainConfig,
    on_event: &mut dyn FnMut(Event<'_>) -> Answer,
) -> Result<Fitted, TrainError> {
    check(&model, &data, config)?;
    let model = model.train();
    let freezing = Freezing::new(config, &model)?;
    let model = freezing.apply(model, 0);
    let plan = plan(&model, &data, config);
    let mut run = Run {
        data,
        config,
        schedule: config.schedule(plan.total_steps),
        loss: CrossEntropy::new(config, data.train.labels, model.num_labels())?,
        freezing,
        optimizer: AdamW::new(config),
        judge: Judge::new(config),
        best_model: None,
        journal: Journal::new(plan),
        on_event,
    };
    let (model, flow) = run.train(model)?;
    let interrupted = run.log_steps()?.is_break() || flow.is_break();
    let last = (model.valid(), run.journal.step);
    let (model, model_step) = run.best_model.filter(|_| !interrupted).unwrap_or(last);
    let report = run.journal.into_report(interrupted);
    let _ = (run.on_event)(Event::Finished(&report))?; // there is nothing left to stop
    Ok(Fitted { model, model_step, report })
}

fn check(
    model: &AutoModelForSequenceClassification,
    data: &TrainData<'_>,
    config: &TrainConfig,
) -> Result<(), TrainError> {
    config.validate()?;
    let num_labels = model.num_labels();
    data.train.check(num_labels)?;
    match data.eval {
        Some(eval) => eval.check(num_labels),
        None if config.eval_strategy == IntervalStrategy::No => Ok(()),
        None => Err(TrainError::Config(ConfigError {
            key: "eval_strategy",
            found: format!("{:?}", config.eval_strategy).to_lowercase(),
            expected: "\"no\" where there are no examples to evaluate",
        })),
    }
}

fn plan(model: &AutoModelForSequenceClassification, data: &TrainData<'_>, config: &TrainConfig) -> RunPlan {
    let num_examples = data.train.labels.len();
    let (steps_per_epoch, total_steps) =
        (config.steps_per_epoch(num_examples), config.total_steps(num_examples));
    RunPlan {
        num_examples,
        num_train_epochs: total_steps as f64 / steps_per_epoch as f64,
        per_device_train_batch_size: config.per_device_train_batch_size,
        gradient_accumulation_steps: config.gradient_accumulation_steps,
        steps_per_epoch,
        total_steps,
        num_trainable_parameters: num_trainable(model),
        num_parameters: model.num_params(),
    }
}

/// A run that is going on.
struct Run<'a, 'b> {
    data: TrainData<'a>,
    config: &'a TrainConfig,
    schedule: Schedule,
    loss: CrossEntropy,
    freezing: Freezing<'a>,
    optimizer: AdamW,
    journal: Journal,
    judge: Option<Judge>,
    /// The weights of the best evaluation under `load_best_model_at_end`, and the step that made them.
    best_model: Option<(AutoModelForSequenceClassification, usize)>,
    on_event: &'b mut dyn FnMut(Event<'_>) -> Answer,
}

const GO_ON: Answer = Ok(ControlFlow::Continue(()));

impl Run<'_, '_> {
    fn train(
        &mut self,
        mut model: AutoModelForSequenceClassification,
    ) -> Result<(AutoModelForSequenceClassification, ControlFlow<()>), TrainError> {
        if (self.on_event)(Event::Started(self.journal.plan))?.is_break() {
            return Ok((model, ControlFlow::Break(())));
        }
        for epoch in 0.. {
            let flow;
            (model, flow) = self.unfreeze(model, epoch)?;
            if flow.is_break() {
                return Ok((model, flow));
            }
            let windows = self.windows(epoch);
            for (index, rows) in windows.iter().enumerate() {
                model = self.step(model, rows, self.epoch_after(epoch, index))?;
                if self.after_step(&model)?.is_break() {
                    return Ok((model, ControlFlow::Break(())));
                }
                if self.is_over() {
                    break;
                }
            }
            let flow = self.after_interval(&model, IntervalStrategy::Epoch)?;
            if flow.is_break() || self.is_over() {
                return Ok((model, flow));
            }
        }
        unreachable!("epochs go on until the run is over")
    }

    /// Lets those parameters train too whose epoch begins.
    fn unfreeze(
        &mut self,
        model: AutoModelForSequenceClassification,
        epoch: u64,
    ) -> Result<(AutoModelForSequenceClassification, ControlFlow<()>), TrainError> {
        if epoch == 0 || !self.freezing.changes_at(epoch) {
            return Ok((model, ControlFlow::Continue(())));
        }
        let model = self.freezing.apply(model, epoch);
        let flow =
            (self.on_event)(Event::Unfrozen { epoch, num_trainable_parameters: num_trainable(&model) })?;
        Ok((model, flow))
    }

    /// The rows of each optimizer step of an epoch.
    ///
    /// Planned by whole steps, so that what shares a step does not depend on how it is cut into micro-batches.
    fn windows(&self, epoch: u64) -> Vec<Vec<usize>> {
        let strategy = match self.config.train_sampling_strategy {
            TrainSamplingStrategy::Random => SamplingStrategy::Random,
            TrainSamplingStrategy::GroupByLength => SamplingStrategy::GroupByLength,
        };
        let rows_of_step = self.config.per_device_train_batch_size * self.config.gradient_accumulation_steps;
        training_batches(&self.data.train.texts.lengths(), rows_of_step, strategy, self.config.seed, epoch)
    }

    fn step(
        &mut self,
        model: AutoModelForSequenceClassification,
        rows: &[usize],
        epoch: f64,
    ) -> Result<AutoModelForSequenceClassification, TrainError> {
        let begin = Instant::now();
        let learning_rate = self.schedule.learning_rate(self.journal.step);
        let step = self.gradients(&model, rows);
        let figures = StepFigures::new(&step, learning_rate);
        if !step.is_finite() {
            let (step, loss, grad_norm) = (self.journal.step + 1, step.loss, step.grad_norm);
            return Err(TrainError::Diverged { step, loss, grad_norm, learning_rate });
        }
        let scale = clip_coefficient(step.grad_norm, self.config.max_grad_norm);
        let model = self.optimizer.step(model, step.gradients, scale, learning_rate);
        self.journal.count(&figures, epoch, begin.elapsed());
        Ok(model)
    }

    fn gradients(&self, model: &AutoModelForSequenceClassification, rows: &[usize]) -> StepGradients {
        let micro_batches = rows.chunks(self.config.per_device_train_batch_size);
        let window = micro_batches
            .map(|rows| self.data.train.batch(rows, self.data.padding))
            .collect::<Vec<LabelledBatch>>();
        let dropout =
            DropoutStream { seed: self.config.seed, step: self.journal.step as u64, first_sequence: 0 };
        let pass = Pass { precision: self.config.precision(), dropout: Some(dropout) };
        step_gradients(model, &window, &self.loss, pass, self.config.gradient_checkpointing)
    }

    fn after_step(&mut self, model: &AutoModelForSequenceClassification) -> Answer {
        let Some(log) = self.journal.last_step() else { return GO_ON };
        if (self.on_event)(Event::Step(log))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let due = self.journal.step.is_multiple_of(self.config.logging_steps) || self.is_over();
        if due && self.log_steps()?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.after_interval(model, IntervalStrategy::Steps)
    }

    /// Evaluates and saves, where the strategy is the one of this moment.
    fn after_interval(
        &mut self,
        model: &AutoModelForSequenceClassification,
        moment: IntervalStrategy,
    ) -> Answer {
        let due = |strategy, every| {
            strategy == moment
                && (moment == IntervalStrategy::Epoch || self.journal.step.is_multiple_of(every))
        };
        let evaluates = due(self.config.eval_strategy, self.config.steps_between_evaluations());
        let mut saves = due(self.config.save_strategy, self.config.save_steps);
        if evaluates {
            if self.evaluate(model)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            saves |= self.best_model.as_ref().is_some_and(|(_, step)| *step == self.journal.step);
        }
        if saves { self.save(model) } else { GO_ON }
    }

    fn evaluate(&mut self, model: &AutoModelForSequenceClassification) -> Answer {
        let Some(examples) = self.data.eval else { return GO_ON };
        let longest = examples.texts.limit().max_length();
        let batching = self.config.evaluation_batching(longest, self.data.padding);
        let mut on_progress = |progress| (self.on_event)(Event::Evaluating(progress));
        let model = model.valid();
        match evaluate(&model, examples, batching, &mut on_progress) {
            Ok(evaluation) => {
                self.judge(model, &evaluation);
                (self.on_event)(Event::Evaluated(self.journal.log_evaluation(evaluation)))
            }
            Err(TrainError::Interrupted) => Ok(ControlFlow::Break(())),
            Err(error) => Err(error),
        }
    }

    /// Keeps `model` if it is the best, and ends the run if none has been better for long.
    fn judge(&mut self, model: AutoModelForSequenceClassification, evaluation: &Evaluation) {
        let Some(judge) = &mut self.judge else { return };
        let verdict = judge.judge(&evaluation.metrics, self.journal.step);
        self.journal.best = judge.best();
        self.journal.stopped_early = verdict.stops && !self.is_over();
        if verdict.is_best && self.config.load_best_model_at_end {
            self.best_model = Some((model, self.journal.step));
        }
    }

    fn save(&mut self, model: &AutoModelForSequenceClassification) -> Answer {
        let journal = &self.journal;
        (self.on_event)(Event::CheckpointDue {
            step: journal.step,
            epoch: journal.epoch,
            model: &model.valid(),
            log_history: &journal.log_history,
            best: journal.best,
        })
    }

    fn log_steps(&mut self) -> Answer {
        match self.journal.log_steps() {
            Some(entry) => (self.on_event)(Event::Logged(entry)),
            None => GO_ON,
        }
    }

    fn is_over(&self) -> bool {
        self.journal.stopped_early || self.journal.step >= self.journal.plan.total_steps
    }

    /// Epochs made after step `index` of epoch `epoch`, counted in micro-batches as transformers does.
    fn epoch_after(&self, epoch: u64, index: usize) -> f64 {
        let num_batches = self.journal.plan.num_examples.div_ceil(self.config.per_device_train_batch_size);
        let done = ((index + 1) * self.config.gradient_accumulation_steps).min(num_batches);
        epoch as f64 + done as f64 / num_batches as f64
    }
}
