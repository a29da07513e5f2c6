//! Reads the metrics of steps from the device, checks them and reports them.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::TrainingLoop;
use super::pending_metrics::{PendingMetrics, read};
use crate::error::TrainError;
use crate::event::Event;
use crate::event_result::EventResult;
use crate::loss_scale::StepDecision;

/// Maximum interval between two reads on a GPU.
const READ_INTERVAL: Duration = Duration::from_secs(1);

impl TrainingLoop<'_, '_> {
    /// Returns true if the optimizer may apply the gradients of this step.
    ///
    /// The check waits for the device. On a GPU, except in fp16, it runs later, before anything is saved.
    pub(super) fn check(&mut self, step: &PendingMetrics) -> Result<bool, TrainError> {
        let loss_scale = &mut self.log.state.loss_scale;
        if self.is_asynchronous && loss_scale.is_none() {
            return Ok(true);
        }
        let loss_and_norm = read(std::slice::from_ref(step))[0];
        let [loss_is_finite, norm_is_finite] = loss_and_norm.map(f64::is_finite);
        let decision = match loss_scale {
            Some(scale) if loss_is_finite => scale.update(norm_is_finite),
            _ if loss_is_finite && norm_is_finite => StepDecision::Apply,
            _ => StepDecision::Diverged,
        };
        if decision == StepDecision::Diverged {
            Err(step.diverged(&loss_and_norm))
        } else {
            Ok(decision == StepDecision::Apply)
        }
    }

    /// Returns true if metrics must be read now, even if nothing else is due.
    pub(super) fn is_read_due(&self) -> bool {
        !self.is_asynchronous || self.last_read.is_none_or(|last_read| last_read.elapsed() >= READ_INTERVAL)
    }

    /// Reads, checks and counts the metrics of all pending steps. Sends one event for each step.
    pub(super) fn report_steps(&mut self) -> EventResult {
        let steps = std::mem::take(&mut self.pending_metrics);
        if steps.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let begin = Instant::now();
        let loss_and_norm = read(&steps);
        let time = std::mem::take(&mut self.time_since_read) + begin.elapsed();
        if self.last_read.replace(Instant::now()).is_none() && self.is_asynchronous {
            self.log.first_step = Some(time.as_secs_f64());
        }
        let num_tokens = steps.iter().map(|step| step.num_tokens).sum::<usize>();
        let tokens_per_second = num_tokens as f64 / time.as_secs_f64();
        let mut stops = false;
        let may_overflow = self.log.state.loss_scale.is_some(); // the optimizer skipped this step
        for (step, loss_and_norm) in steps.iter().zip(&loss_and_norm) {
            if !loss_and_norm[0].is_finite() || !(may_overflow || loss_and_norm[1].is_finite()) {
                return Err(step.diverged(loss_and_norm));
            }
            let log = step.log(loss_and_norm, tokens_per_second);
            self.log.count(log, step.num_examples, step.num_tokens);
            stops |= (self.on_event)(Event::Step(log))?.is_break();
        }
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
