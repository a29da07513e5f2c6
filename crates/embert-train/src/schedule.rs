//! The learning rate as a pure function of the step: η(t) = η · warm-up(t) · decay(t).

use serde::{Deserialize, Serialize};

/// The learning rate after the warm-up, by Hugging Face's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// Down to zero at the last step, in a straight line.
    #[default]
    Linear,
    /// Down to zero at the last step, along half a cosine.
    Cosine,
    /// The same at every step, without warm-up.
    Constant,
    /// Warm-up, then the same at every step.
    ConstantWithWarmup,
}

/// A learning rate for every step of a run, as `transformers.get_scheduler` gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// What follows the warm-up.
    pub kind: LrSchedulerType,
    /// The highest learning rate, reached when the warm-up ends.
    pub learning_rate: f64,
    /// Optimizer steps of warm-up; the first of them trains with a rate of zero.
    pub warmup_steps: usize,
    /// Optimizer steps of the run.
    pub total_steps: usize,
}

impl Schedule {
    /// The learning rate of optimizer step `step`, counted from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        self.learning_rate * self.factor(step)
    }

    fn factor(&self, step: usize) -> f64 {
        if self.kind == LrSchedulerType::Constant {
            return 1.0;
        }
        if step < self.warmup_steps {
            return step as f64 / self.warmup_steps as f64;
        }
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        match self.kind {
            LrSchedulerType::Linear => self.total_steps.saturating_sub(step) as f64 / decay_steps,
            LrSchedulerType::Cosine => {
                let progress = (step - self.warmup_steps) as f64 / decay_steps;
                (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
            }
            LrSchedulerType::Constant | LrSchedulerType::ConstantWithWarmup => 1.0,
        }
    }
}
