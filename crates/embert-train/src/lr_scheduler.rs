//! Learning rate schedulers and their settings, as in `transformers/optimization.py` (v5.24.0).
//!
//! In the formulas, t is the step from 0, W the number of warm-up steps, T of all steps, and p = (t − W) / (T − W).

use serde::{Deserialize, Serialize};

/// The name of a learning rate scheduler, as in transformers' `SchedulerType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LrSchedulerType {
    /// Warm-up, then linear decay to zero.
    #[default]
    Linear,
    /// Warm-up, then cosine decay to zero.
    Cosine,
    /// Warm-up, then several cosine decays to zero.
    CosineWithRestarts,
    /// Warm-up, then polynomial decay to `lr_end`.
    Polynomial,
    /// A constant rate without warm-up.
    Constant,
    /// Warm-up, then a constant rate.
    ConstantWithWarmup,
    /// Warm-up, then decay with the inverse square root of the step.
    InverseSqrt,
    /// Warm-up, then cosine decay to a minimum.
    CosineWithMinLr,
    /// Warm-up from a rate above zero, then cosine decay to a minimum, which the last step has.
    CosineWarmupWithMinLr,
    /// Warm-up, then a constant rate, then decay.
    WarmupStableDecay,
}

/// A scheduler with its settings. The formulas are the factor of the learning rate after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LrScheduler {
    /// (T − t) / (T − W).
    Linear {},
    /// (1 + cos(2π · num_cycles · p)) / 2.
    Cosine {
        /// Number of waves.
        #[serde(default = "half_a_wave")]
        num_cycles: f64,
    },
    /// (1 + cos(π · (num_cycles · p mod 1))) / 2.
    CosineWithRestarts {
        /// Number of decays.
        #[serde(default = "one")]
        num_cycles: f64,
    },
    /// (1 − p)^power · (1 − lr_end / learning_rate) + lr_end / learning_rate.
    Polynomial {
        /// The learning rate after the last step, below `learning_rate`.
        #[serde(default = "lr_end")]
        lr_end: f64,
        /// The exponent, above 0.
        #[serde(default = "one")]
        power: f64,
    },
    /// 1 in all steps, without warm-up.
    Constant {},
    /// 1.
    ConstantWithWarmup {},
    /// 1 / √((t − W + timescale) / timescale).
    InverseSqrt {
        /// Number of steps, above 0. `None`: W, or 10,000 without warm-up.
        timescale: Option<usize>,
    },
    /// The factor of `Cosine`, scaled to the range from the minimum to 1.
    CosineWithMinLr {
        /// Number of waves.
        #[serde(default = "half_a_wave")]
        num_cycles: f64,
        /// The lowest learning rate. Exactly one of `min_lr` and `min_lr_rate` is given.
        min_lr: Option<f64>,
        /// The lowest learning rate as a share of `learning_rate`.
        min_lr_rate: Option<f64>,
    },
    /// The factor of `CosineWithMinLr` with p = (t − W + 1) / (T − W).
    CosineWarmupWithMinLr {
        /// Number of waves.
        #[serde(default = "half_a_wave")]
        num_cycles: f64,
        /// The lowest learning rate after the warm-up. Exactly one of `min_lr` and `min_lr_rate` is given.
        min_lr: Option<f64>,
        /// The lowest learning rate after the warm-up as a share of `learning_rate`.
        min_lr_rate: Option<f64>,
        /// The share of `learning_rate` in the first step. `None`: 1 / W.
        warmup_lr_rate: Option<f64>,
    },
    /// 1 for `num_stable_steps`, then decay over `num_decay_steps`, then `min_lr_ratio`.
    WarmupStableDecay {
        /// Number of steps of the decay.
        num_decay_steps: usize,
        /// Number of steps with the peak rate. `None`: the steps that warm-up and decay leave.
        num_stable_steps: Option<usize>,
        /// The curve of the warm-up.
        #[serde(default = "linear")]
        warmup_type: CurveType,
        /// The curve of the decay.
        #[serde(default = "cosine")]
        decay_type: CurveType,
        /// The lowest learning rate as a share of `learning_rate`, also in the first step of the warm-up.
        #[serde(default)]
        min_lr_ratio: f64,
        /// Number of waves of a cosine decay.
        #[serde(default = "half_a_wave")]
        num_cycles: f64,
    },
}

/// The curve of a warm-up or a decay of [`LrScheduler::WarmupStableDecay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum CurveType {
    /// Linear in the step.
    #[serde(rename = "linear")]
    Linear,
    /// A cosine wave.
    #[serde(rename = "cosine")]
    Cosine,
    /// 1 − √x.
    #[serde(rename = "1-sqrt")]
    OneMinusSqrt,
}

fn half_a_wave() -> f64 {
    0.5
}

fn one() -> f64 {
    1.0
}

fn lr_end() -> f64 {
    1e-7
}

fn linear() -> CurveType {
    CurveType::Linear
}

fn cosine() -> CurveType {
    CurveType::Cosine
}

impl LrScheduler {
    /// Returns true if the settings have the ranges of their documentation.
    pub(crate) fn is_valid(&self, learning_rate: f64) -> bool {
        let unit = |x: f64| (0.0..=1.0).contains(&x);
        let is_count = |x: f64| (0.0..=1e6).contains(&x); // the cosine of larger numbers is inexact
        let is_minimum = |min_lr: Option<f64>, min_lr_rate: Option<f64>| match (min_lr, min_lr_rate) {
            (Some(min_lr), None) => learning_rate > 0.0 && (0.0..=learning_rate).contains(&min_lr),
            (None, Some(min_lr_rate)) => unit(min_lr_rate),
            _ => false,
        };
        match *self {
            Self::Linear {} | Self::Constant {} | Self::ConstantWithWarmup {} => true,
            Self::Cosine { num_cycles } | Self::CosineWithRestarts { num_cycles } => is_count(num_cycles),
            Self::Polynomial { lr_end, power } => (0.0..learning_rate).contains(&lr_end) && power > 0.0,
            Self::InverseSqrt { timescale } => timescale != Some(0),
            Self::CosineWithMinLr { num_cycles, min_lr, min_lr_rate } => {
                is_count(num_cycles) && is_minimum(min_lr, min_lr_rate)
            }
            Self::CosineWarmupWithMinLr { num_cycles, min_lr, min_lr_rate, warmup_lr_rate } => {
                is_count(num_cycles) && is_minimum(min_lr, min_lr_rate) && warmup_lr_rate.is_none_or(unit)
            }
            Self::WarmupStableDecay { min_lr_ratio, num_cycles, .. } => {
                unit(min_lr_ratio) && is_count(num_cycles)
            }
        }
    }
}
