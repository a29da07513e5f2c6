//! The learning rate schedule, a pure function of the step: η(t) = η · warmup(t) · decay(t).

use std::f64::consts::PI;

use crate::lr_scheduler::{CurveType, LrScheduler};

/// The time scale of `inverse_sqrt` without warm-up.
const DEFAULT_TIMESCALE: usize = 10_000;

/// The learning rate of every step of a run, as in `transformers.get_scheduler`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The scheduler.
    pub scheduler: LrScheduler,
    /// The peak learning rate, at the end of the warm-up.
    pub learning_rate: f64,
    /// Number of warm-up steps. Most schedulers have a rate of zero in the first of them.
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
        if step < self.warmup_steps { self.warmup(step) } else { self.decay(step) }
    }

    /// Returns the factor of a step of the warm-up.
    fn warmup(&self, step: usize) -> f64 {
        let (step, warmup_steps) = (step as f64, self.warmup_steps as f64);
        match self.scheduler {
            LrScheduler::Constant {} => 1.0,
            LrScheduler::CosineWarmupWithMinLr { warmup_lr_rate: None, .. } => (step + 1.0) / warmup_steps,
            LrScheduler::CosineWarmupWithMinLr { warmup_lr_rate: Some(first), .. } => {
                first + (1.0 - first) * step / (warmup_steps - 1.0).max(1.0)
            }
            LrScheduler::WarmupStableDecay { warmup_type, min_lr_ratio, .. } => {
                from_minimum(min_lr_ratio, warmup_type.warmup(step / warmup_steps))
            }
            _ => step / warmup_steps,
        }
    }

    /// Returns the factor of a step after the warm-up.
    fn decay(&self, step: usize) -> f64 {
        let decay_steps = self.total_steps.saturating_sub(self.warmup_steps).max(1) as f64;
        let since_warmup = (step - self.warmup_steps) as f64;
        let progress = since_warmup / decay_steps;
        match self.scheduler {
            LrScheduler::Constant {} | LrScheduler::ConstantWithWarmup {} => 1.0,
            LrScheduler::Linear {} => self.total_steps.saturating_sub(step) as f64 / decay_steps,
            LrScheduler::Cosine { num_cycles } => cosine(num_cycles, progress).max(0.0),
            LrScheduler::CosineWithRestarts { .. } if progress >= 1.0 => 0.0,
            LrScheduler::CosineWithRestarts { num_cycles } => {
                cosine(0.5, num_cycles * progress % 1.0).max(0.0)
            }
            LrScheduler::Polynomial { lr_end, power } => {
                let remaining = (1.0 - progress).max(0.0);
                ((self.learning_rate - lr_end) * remaining.powf(power) + lr_end) / self.learning_rate
            }
            LrScheduler::InverseSqrt { timescale } => {
                let of_warmup = if self.warmup_steps > 0 { self.warmup_steps } else { DEFAULT_TIMESCALE };
                let timescale = timescale.unwrap_or(of_warmup) as f64;
                1.0 / ((since_warmup + timescale) / timescale).sqrt()
            }
            LrScheduler::CosineWithMinLr { num_cycles, min_lr, min_lr_rate } => {
                from_minimum(self.minimum(min_lr, min_lr_rate), cosine(num_cycles, progress)).max(0.0)
            }
            LrScheduler::CosineWarmupWithMinLr { num_cycles, min_lr, min_lr_rate, .. } => {
                let progress = (since_warmup + 1.0) / decay_steps;
                from_minimum(self.minimum(min_lr, min_lr_rate), cosine(num_cycles, progress)).max(0.0)
            }
            LrScheduler::WarmupStableDecay {
                num_decay_steps,
                num_stable_steps,
                decay_type,
                min_lr_ratio,
                num_cycles,
                ..
            } => {
                // Negative if warm-up and decay are longer than the run; the decay then begins within its curve.
                let left = self.total_steps as f64 - self.warmup_steps as f64 - num_decay_steps as f64;
                let stable_steps = num_stable_steps.map_or(left, |steps| steps as f64);
                let decayed = since_warmup - stable_steps;
                if decayed < 0.0 {
                    1.0
                } else if decayed < num_decay_steps as f64 {
                    let factor = decay_type.decay(decayed / num_decay_steps as f64, num_cycles);
                    from_minimum(min_lr_ratio, factor).max(0.0)
                } else {
                    min_lr_ratio
                }
            }
        }
    }

    /// Returns the lowest factor.
    fn minimum(&self, min_lr: Option<f64>, min_lr_rate: Option<f64>) -> f64 {
        min_lr_rate.or_else(|| Some(min_lr? / self.learning_rate)).unwrap_or(0.0)
    }
}

impl CurveType {
    /// Returns a value from 0 to 1 for a progress from 0 to 1.
    fn warmup(self, progress: f64) -> f64 {
        match self {
            Self::Linear => progress,
            Self::Cosine => 0.5 * (1.0 - (PI * progress).cos()),
            Self::OneMinusSqrt => 1.0 - (1.0 - progress).sqrt(),
        }
    }

    /// Returns a value from 1 to 0 for a progress from 0 to 1.
    fn decay(self, progress: f64, num_cycles: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - progress,
            Self::Cosine => cosine(num_cycles, progress),
            Self::OneMinusSqrt => 1.0 - progress.sqrt(),
        }
    }
}

/// Returns a cosine wave from 1 to 0 and back, `num_cycles` times.
fn cosine(num_cycles: f64, progress: f64) -> f64 {
    0.5 * (1.0 + (PI * num_cycles * 2.0 * progress).cos())
}

/// Scales a factor from the range 0 to 1 to the range `minimum` to 1.
fn from_minimum(minimum: f64, factor: f64) -> f64 {
    factor * (1.0 - minimum) + minimum
}
