//! The figures of steps that stand on the device. A GPU has them some time after they were asked for, and reading them
//! waits for it: so it is done seldom, for many steps at once.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::Run;
use crate::error::TrainError;
use crate::event::{Answer, Event, StepLog};
use crate::step::StepGradients;

/// The longest that a run on a GPU says nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// A step whose figures have not been read.
pub(super) struct Unread {
    /// Loss and gradient norm, `[2]`.
    figures: Tensor<1>,
    step: usize,
    epoch: f64,
    learning_rate: f64,
    num_examples: usize,
    num_tokens: usize,
    rows: Vec<usize>,
}

impl Unread {
    pub(super) fn new(
        made: &StepGradients,
        step: usize,
        epoch: f64,
        learning_rate: f64,
        rows: &[usize],
    ) -> Self {
        Self {
            figures: made.figures(),
            step,
            epoch,
            learning_rate,
            num_examples: made.num_examples,
            num_tokens: made.num_tokens,
            rows: rows.to_vec(),
        }
    }

    /// Reads this step alone.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        self.with(&read(std::slice::from_ref(self))).map(|_| ())
    }

    /// The step with its loss and its norm, which must be numbers.
    fn with(&self, figures: &[f64]) -> Result<StepLog, TrainError> {
        let (loss, grad_norm) = (figures[0], figures[1]);
        let Self { step, epoch, learning_rate, .. } = *self;
        if loss.is_finite() && grad_norm.is_finite() {
            return Ok(StepLog { step, epoch, loss, grad_norm, learning_rate, tokens_per_second: f64::NAN });
        }
        Err(TrainError::Diverged { step, loss, grad_norm, learning_rate, rows: self.rows.clone() })
    }
}

/// Loss and norm of each step in turn. Waits for the device.
fn read(steps: &[Unread]) -> Vec<f64> {
    let figures = steps.iter().map(|step| step.figures.clone()).collect();
    Tensor::cat(figures, 0).into_data().iter::<f64>().collect()
}

impl Run<'_, '_> {
    /// Whether steps are to be told of although nothing else is due.
    pub(super) fn is_reading_due(&self) -> bool {
        !self.is_asynchronous || self.read_at.is_none_or(|read_at| read_at.elapsed() >= SILENCE)
    }

    /// Reads the figures of all steps up to now, checks them, counts them and tells of each.
    pub(super) fn tell_of_steps(&mut self) -> Answer {
        let steps = std::mem::take(&mut self.unread);
        if steps.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let begin = Instant::now();
        let figures = read(&steps);
        self.read_at = Some(Instant::now());
        let busy = std::mem::take(&mut self.busy) + begin.elapsed();
        let num_tokens = steps.iter().map(|step| step.num_tokens).sum::<usize>();
        let tokens_per_second = num_tokens as f64 / busy.as_secs_f64();
        let mut stops = false;
        for (step, figures) in steps.iter().zip(figures.chunks(2)) {
            let log = StepLog { tokens_per_second, ..step.with(figures)? };
            self.journal.count(log, step.num_examples, step.num_tokens);
            stops |= (self.on_event)(Event::Step(log))?.is_break();
        }
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
