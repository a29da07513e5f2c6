//! When the metrics of steps are read from the device, checked and logged.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::Run;
use super::pending_metrics::{PendingMetrics, read};
use crate::answer::Answer;
use crate::error::TrainError;
use crate::event::Event;
use crate::loss_scale::Verdict;

/// The maximum interval between two readings on a GPU.
const INTERVAL: Duration = Duration::from_secs(1);

impl Run<'_, '_> {
    /// Returns true if the optimizer may make a step with these gradients. On a GPU, except in fp16, the check is made
    /// later, before anything is saved, because it waits for the device.
    pub(super) fn check(&mut self, step: &PendingMetrics) -> Result<bool, TrainError> {
        let loss_scale = &mut self.journal.state.loss_scale;
        if self.is_asynchronous && loss_scale.is_none() {
            return Ok(true);
        }
        let figures = read(std::slice::from_ref(step))[0];
        let [is_loss, is_norm] = figures.map(f64::is_finite);
        let verdict = match loss_scale {
            Some(scale) if is_loss => scale.judge(is_norm),
            _ if is_loss && is_norm => Verdict::Make,
            _ => Verdict::Diverged,
        };
        if verdict == Verdict::Diverged { Err(step.diverged(&figures)) } else { Ok(verdict == Verdict::Make) }
    }

    /// Returns true if metrics must be read although nothing else is due.
    pub(super) fn is_reading_due(&self) -> bool {
        !self.is_asynchronous || self.read_at.is_none_or(|read_at| read_at.elapsed() >= INTERVAL)
    }

    /// Reads the metrics of all pending steps, checks and counts them, and sends one event for each.
    pub(super) fn tell_of_steps(&mut self) -> Answer {
        let steps = std::mem::take(&mut self.pending);
        if steps.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let begin = Instant::now();
        let figures = read(&steps);
        let busy = std::mem::take(&mut self.busy) + begin.elapsed();
        if self.read_at.replace(Instant::now()).is_none() && self.is_asynchronous {
            self.journal.first_step = Some(busy.as_secs_f64());
        }
        let num_tokens = steps.iter().map(|step| step.num_tokens).sum::<usize>();
        let tokens_per_second = num_tokens as f64 / busy.as_secs_f64();
        let mut stops = false;
        let may_overflow = self.journal.state.loss_scale.is_some(); // and then made no step
        for (step, figures) in steps.iter().zip(&figures) {
            if !figures[0].is_finite() || !(may_overflow || figures[1].is_finite()) {
                return Err(step.diverged(figures));
            }
            let log = step.log(figures, tokens_per_second);
            self.journal.count(log, step.num_examples, step.num_tokens);
            stops |= (self.on_event)(Event::Step(log))?.is_break();
        }
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
