//! Loss scaling for fp16, as `torch.amp.GradScaler` does it: backward starts from s·loss, so that small gradients do not
//! vanish, and the gradients are divided by s. s ← s/2 and no step where a gradient overflows; s ← 2s after 2,000 steps.

use serde::{Deserialize, Serialize};

const INITIAL: f64 = 65_536.0;
const GROWTH_INTERVAL: usize = 2_000;

/// The factor of the loss, and its history.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct LossScale {
    /// s, a power of two, so that multiplying rounds nothing.
    pub(crate) factor: f64,
    /// Steps without an overflow since s changed.
    steps_since_change: usize,
    /// Steps that were skipped.
    pub(crate) skipped: usize,
}

impl Default for LossScale {
    fn default() -> Self {
        Self { factor: INITIAL, steps_since_change: 0, skipped: 0 }
    }
}

/// The decision on a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its gradients are numbers.
    Make,
    /// They overflowed: a smaller scale may do.
    Skip,
    /// They overflow at any scale.
    Diverged,
}

impl LossScale {
    /// Updates the scale after a step and decides on it.
    pub(crate) fn judge(&mut self, is_finite: bool) -> Verdict {
        self.steps_since_change += 1;
        if is_finite {
            if self.steps_since_change == GROWTH_INTERVAL {
                self.change(2.0);
            }
            return Verdict::Make;
        }
        if self.factor <= 1.0 {
            return Verdict::Diverged;
        }
        self.change(0.5);
        self.skipped += 1;
        Verdict::Skip
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
    fn it_halves_at_an_overflow_and_doubles_after_two_thousand_steps() {
        let mut scale = LossScale::default();
        assert_eq!(scale.judge(false), Verdict::Skip);
        assert_eq!((scale.factor, scale.skipped), (32_768.0, 1));
        assert!((1..2_000).all(|_| scale.judge(true) == Verdict::Make) && scale.factor == 32_768.0);
        assert_eq!((scale.judge(true), scale.factor), (Verdict::Make, 65_536.0));
    }

    #[test]
    fn what_overflows_at_one_has_diverged() {
        let mut scale = LossScale::default();
        assert!((0..16).all(|_| scale.judge(false) == Verdict::Skip));
        assert_eq!((scale.factor, scale.judge(false)), (1.0, Verdict::Diverged));
    }
}
