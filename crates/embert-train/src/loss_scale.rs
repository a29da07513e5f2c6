//! Loss scaling for fp16, as in `torch.amp.GradScaler`.
//!
//! The backward pass starts from s·loss, so that small gradients do not vanish. The gradients are divided by s. If a
//! gradient overflows, the step is skipped and s ← s/2. After 2,000 steps without an overflow, s ← 2s.

use serde::{Deserialize, Serialize};

const INITIAL: f64 = 65_536.0;
const GROWTH_INTERVAL: usize = 2_000;

/// The scale of the loss, and its history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct LossScale {
    /// s, a power of two, so that multiplication is exact.
    pub(crate) factor: f64,
    /// Steps without an overflow since s changed.
    steps_since_change: usize,
    /// The number of skipped steps.
    pub(crate) skipped: usize,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { factor: INITIAL, steps_since_change: 0, skipped: 0 }
    }
}

/// The decision about the gradients of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepDecision {
    /// The gradients are finite.
    Apply,
    /// The gradients overflowed; the next step has a smaller scale.
    Skip,
    /// The gradients overflow at scale 1.
    Diverged,
}

impl LossScale {
    /// Updates the scale after a step, and returns the decision about the step.
    pub(crate) fn update(&mut self, is_finite: bool) -> StepDecision {
        self.steps_since_change += 1;
        if is_finite {
            if self.steps_since_change == GROWTH_INTERVAL {
                self.change(2.0);
            }
            return StepDecision::Apply;
        }
        if self.factor <= 1.0 {
            return StepDecision::Diverged;
        }
        self.change(0.5);
        self.skipped += 1;
        StepDecision::Skip
    }

    fn change(&mut self, by: f64) {
        self.steps_since_change = 0;
        if self.factor * by < f64::from(f32::MAX) {
            self.factor *= by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overflow_halves_the_scale_and_two_thousand_steps_double_it() {
        let mut scale = LossScale::default();
        assert_eq!(scale.update(false), StepDecision::Skip);
        assert_eq!((scale.factor, scale.skipped), (32_768.0, 1));
        assert!((1..2_000).all(|_| scale.update(true) == StepDecision::Apply) && scale.factor == 32_768.0);
        assert_eq!((scale.update(true), scale.factor), (StepDecision::Apply, 65_536.0));
    }

    #[test]
    fn an_overflow_at_scale_one_is_divergence() {
        let mut scale = LossScale::default();
        assert!((0..16).all(|_| scale.update(false) == StepDecision::Skip));
        assert_eq!((scale.factor, scale.update(false)), (1.0, StepDecision::Diverged));
    }
}
