//! What happens between two steps: the log, an evaluation and its verdict, a checkpoint.

use std::ops::ControlFlow;

use burn::module::Module;
use embert_inference::InferenceError;

use super::Run;
use crate::answer::Answer;
use crate::config::IntervalStrategy;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::event::{Event, Snapshot};
use crate::finite::is_finite;
use crate::model::Model;

const GO_ON: Answer = Ok(ControlFlow::Continue(()));
const STOP: Answer = Ok(ControlFlow::Break(()));

impl Run<'_, '_> {
    /// Reads metrics, logs, evaluates and saves where that is due. A resumed run begins with it.
    pub(super) fn after_step(&mut self, model: &Model) -> Answer {
        if self.is_reading_due() && self.tell_of_steps()?.is_break() {
            return STOP;
        }
        let logs = self.journal.state.step.is_multiple_of(self.config.logging_steps) || self.is_over();
        if logs && self.log_steps()?.is_break() {
            return STOP;
        }
        let evaluates = self.journal.state.evaluation_due;
        if evaluates && self.evaluate(model)?.is_break() {
            return STOP;
        }
        let is_best = self.best_model.as_ref().is_some_and(|(_, step)| *step == self.journal.state.step);
        let saves = self.is_due(self.config.save_strategy, self.config.save_steps) || evaluates && is_best;
        if saves && self.saved != Some(self.journal.state.step) { self.save(model) } else { GO_ON }
    }

    /// Returns true if an event of this strategy is due after the current step.
    pub(super) fn is_due(&self, strategy: IntervalStrategy, every: usize) -> bool {
        let step = self.journal.state.step;
        match strategy {
            IntervalStrategy::No => false,
            // As in DefaultFlowCallback of transformers 5: also after the last step, but not when the run stops early.
            IntervalStrategy::Steps => step.is_multiple_of(every) || step >= self.journal.plan.total_steps,
            IntervalStrategy::Epoch => {
                step.is_multiple_of(self.journal.plan.steps_per_epoch) || self.is_over()
            }
        }
    }

    fn evaluate(&mut self, model: &Model) -> Answer {
        let Some(examples) = self.data.eval else { return GO_ON };
        if self.tell_of_steps()?.is_break() {
            return STOP;
        }
        let longest = examples.texts.limit().max_length();
        let batching = self.config.evaluation_batching(longest, self.data.padding);
        let mut on_progress = |progress| (self.on_event)(Event::Evaluating(progress));
        let model = model.valid();
        match evaluate(&model, examples, batching, self.data.pos_label, &mut on_progress) {
            Ok(evaluation) if !evaluation.metrics.loss.is_finite() => {
                Err(self.diverged_weights("the loss of the evaluation is"))
            }
            Ok(evaluation) => {
                self.judge(model, &evaluation);
                self.journal.state.evaluation_due = false;
                (self.on_event)(Event::Evaluated(self.journal.log_evaluation(evaluation)))
            }
            Err(TrainError::Inference(InferenceError::NotFinite { .. })) => {
                Err(self.diverged_weights("the logits of the evaluation are"))
            }
            Err(TrainError::Inference(InferenceError::Interrupted)) => STOP,
            Err(error) => Err(error),
        }
    }

    /// Keeps `model` if it is the best, and stops early if patience has run out.
    fn judge(&mut self, model: Model, evaluation: &Evaluation) {
        let Some(judge) = &self.judge else { return };
        let state = &mut self.journal.state;
        let verdict = judge.judge(&mut state.judged, &evaluation.metrics, state.step);
        state.stopped_early = verdict.stops && state.step < self.journal.plan.total_steps;
        if verdict.is_best && self.config.load_best_model_at_end {
            self.best_model = Some((model, state.step));
        }
    }

    pub(super) fn save(&mut self, model: &Model) -> Answer {
        let stops = self.tell_of_steps()?.is_break();
        let model = model.valid();
        self.check_weights(&model)?;
        let state = self.journal.state_of_now();
        self.saved = Some(state.step).filter(|_| !state.evaluation_due);
        let optimizer = self.optimizer.state();
        let due = Event::CheckpointDue(Snapshot { model: &model, optimizer, state: &state });
        let answer = (self.on_event)(due)?;
        if stops { STOP } else { Ok(answer) }
    }

    /// Fails if a weight is not finite: such weights are neither saved nor returned.
    pub(super) fn check_weights(&self, model: &Model) -> Result<(), TrainError> {
        if is_finite(model) { Ok(()) } else { Err(self.diverged_weights("weights are")) }
    }

    fn diverged_weights(&self, what: &'static str) -> TrainError {
        let step = self.journal.state.step;
        let learning_rate = self.schedule.learning_rate(step.saturating_sub(1));
        TrainError::DivergedWeights { step, what, learning_rate, rows: self.last_rows.clone() }
    }

    pub(super) fn log_steps(&mut self) -> Answer {
        if self.tell_of_steps()?.is_break() {
            return STOP;
        }
        match self.journal.log_steps() {
            Some(entry) => (self.on_event)(Event::Logged(entry)),
            None => GO_ON,
        }
    }
}
