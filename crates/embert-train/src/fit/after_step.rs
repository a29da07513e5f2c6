//! Logging, evaluation and checkpoints between two steps.

use std::ops::ControlFlow;

use burn::module::Module;
use embert_inference::InferenceError;

use super::TrainingLoop;
use crate::check_finite::is_finite;
use crate::config::IntervalStrategy;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::event::{Event, Snapshot};
use crate::event_result::EventResult;
use crate::model::Model;

const CONTINUE: EventResult = Ok(ControlFlow::Continue(()));
const STOP: EventResult = Ok(ControlFlow::Break(()));

impl TrainingLoop<'_, '_> {
    /// Reads metrics, logs, evaluates and saves, if due. A resumed run calls this before its first step.
    pub(super) fn after_step(&mut self, model: &Model) -> EventResult {
        if self.is_read_due() && self.report_steps()?.is_break() {
            return STOP;
        }
        let logging_steps = self.config.logging_steps.of(self.log.plan.total_steps);
        let logs = self.log.state.step.is_multiple_of(logging_steps) || self.is_over();
        if logs && self.log_steps()?.is_break() {
            return STOP;
        }
        let evaluates = self.log.state.evaluation_due;
        if evaluates && self.evaluate(model)?.is_break() {
            return STOP;
        }
        let is_best = self.best_model.as_ref().is_some_and(|(_, step)| *step == self.log.state.step);
        let save_steps = self.config.save_steps.of(self.log.plan.total_steps);
        let saves = self.is_due(self.config.save_strategy, save_steps) || evaluates && is_best;
        if saves && self.last_saved_step != Some(self.log.state.step) { self.save(model) } else { CONTINUE }
    }

    /// Returns true if the strategy asks for an event after the current step.
    pub(super) fn is_due(&self, strategy: IntervalStrategy, every: usize) -> bool {
        let step = self.log.state.step;
        match strategy {
            IntervalStrategy::No => false,
            // DefaultFlowCallback of transformers 5: also after the last step, but not after an early stop.
            IntervalStrategy::Steps => step.is_multiple_of(every) || step >= self.log.plan.total_steps,
            IntervalStrategy::Epoch => step.is_multiple_of(self.log.plan.steps_per_epoch) || self.is_over(),
        }
    }

    fn evaluate(&mut self, model: &Model) -> EventResult {
        let Some(examples) = self.data.eval else { return CONTINUE };
        if self.report_steps()?.is_break() {
            return STOP;
        }
        let longest = examples.texts.limit().max_length();
        let batching = self.config.evaluation_batching(longest, self.data.padding);
        let mut on_progress = |progress| (self.on_event)(Event::Evaluating(progress));
        let model = model.valid();
        match evaluate(&model, examples, batching, self.data.metric_options, &mut on_progress) {
            Ok(evaluation) if !evaluation.metrics.loss().is_finite() => {
                Err(self.diverged_weights("the loss of the evaluation is"))
            }
            Ok(evaluation) => {
                self.update_best_model(model, &evaluation);
                self.log.state.evaluation_due = false;
                (self.on_event)(Event::Evaluated(self.log.log_evaluation(evaluation)))
            }
            Err(TrainError::Inference(InferenceError::NotFinite { .. })) => {
                Err(self.diverged_weights("the logits of the evaluation are"))
            }
            Err(TrainError::Inference(InferenceError::Interrupted)) => STOP,
            Err(error) => Err(error),
        }
    }

    /// Keeps `model` if it is the best so far. Stops the run if patience has run out.
    fn update_best_model(&mut self, model: Model, evaluation: &Evaluation) {
        let Some(tracker) = &self.best_model_tracker else { return };
        let state = &mut self.log.state;
        let update = tracker.update(&mut state.best_model, &evaluation.metrics, state.step);
        state.stopped_early = update.stops && state.step < self.log.plan.total_steps;
        if update.is_best && self.config.load_best_model_at_end {
            self.best_model = Some((model, state.step));
        }
    }

    pub(super) fn save(&mut self, model: &Model) -> EventResult {
        let stops = self.report_steps()?.is_break();
        let model = model.valid();
        self.check_weights(&model)?;
        let state = self.log.current_state();
        self.last_saved_step = Some(state.step).filter(|_| !state.evaluation_due);
        let optimizer = self.optimizer.state();
        let due = Event::CheckpointDue(Snapshot { model: &model, optimizer, state: &state });
        let flow = (self.on_event)(due)?;
        if stops { STOP } else { Ok(flow) }
    }

    /// Fails if a weight is not finite, so that it is neither saved nor returned.
    pub(super) fn check_weights(&self, model: &Model) -> Result<(), TrainError> {
        if is_finite(model) { Ok(()) } else { Err(self.diverged_weights("weights are")) }
    }

    fn diverged_weights(&self, what: &'static str) -> TrainError {
        let step = self.log.state.step;
        let learning_rate = self.schedule.learning_rate(step.saturating_sub(1));
        TrainError::DivergedWeights { step, what, learning_rate, rows: self.last_rows.clone() }
    }

    pub(super) fn log_steps(&mut self) -> EventResult {
        if self.report_steps()?.is_break() {
            return STOP;
        }
        match self.log.log_steps() {
            Some(entry) => (self.on_event)(Event::Logged(entry)),
            None => CONTINUE,
        }
    }
}
