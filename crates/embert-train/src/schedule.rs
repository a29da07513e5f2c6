//! The learning rate schedule, a pure function of the step: η(t) = η · warmup(t) · decay(t).

use serde::{Deserialize, Serialize};

/// The kind of a learning rate schedule, with Hugging Face's names. W is the number of warm-up steps, T of all steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// Warm-up, then linear decay to zero: (T − t) / (T − W).
    #[default]
    Linear,
    /// Warm-up, then cosine decay to zero: (1 + cos(π(t − W) / (T − W))) / 2.
    Cosine,
    /// A constant rate without warm-up.
    Constant,
    /// Warm-up, then a constant rate.
    ConstantWithWarmup,
}

/// The learning rate of every step of a run, as in `transformers.get_scheduler`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The kind of the schedule.
    pub kind: LrSchedulerType,
    /// The peak learning rate, at the end of the warm-up.
    pub learning_rate: f64,
    /// Number of warm-up steps. The first of them has a rate of zero.
    pub warmup_steps: usize,
    /// Number of optimizer steps of the run.
    pub total_steps: usize,
}

impl Schedule {
    /// Returns the learning rate of an optimizer step, counted from 0.
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
