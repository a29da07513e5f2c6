//! `lr_scheduler_kwargs`: the settings of a learning rate scheduler, by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;
use crate::lr_scheduler::{LrScheduler, LrSchedulerType};

/// The settings of a scheduler by their names in transformers: `lr_scheduler_kwargs`.
pub type LrSchedulerKwargs = BTreeMap<String, LrSchedulerKwarg>;

/// A value of [`LrSchedulerKwargs`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a number or a word")]
pub enum LrSchedulerKwarg {
    /// A whole number, such as `num_decay_steps`.
    Integer(i64),
    /// A number, such as `power`.
    Number(f64),
    /// A word, such as `decay_type`.
    Word(String),
}

/// Returns the scheduler of this type with these settings.
///
/// # Errors
/// A [`ConfigError`] for an unknown, missing or invalid setting of this scheduler.
pub(crate) fn scheduler(
    kind: LrSchedulerType,
    kwargs: &LrSchedulerKwargs,
    learning_rate: f64,
) -> Result<LrScheduler, ConfigError> {
    let scheduler = parse(kind, kwargs).filter(|scheduler| scheduler.is_valid(learning_rate));
    scheduler.ok_or_else(|| ConfigError {
        key: "lr_scheduler_kwargs",
        found: as_flag(kwargs),
        expected: expected_kwargs(kind),
    })
}

fn parse(kind: LrSchedulerType, kwargs: &LrSchedulerKwargs) -> Option<LrScheduler> {
    let is_finite =
        |kwarg: &LrSchedulerKwarg| !matches!(kwarg, LrSchedulerKwarg::Number(x) if !x.is_finite());
    if !kwargs.values().all(is_finite) {
        return None;
    }
    let name = serde_json::to_value(kind).ok()?.as_str()?.to_owned();
    serde_json::from_value(serde_json::json!({ name: kwargs })).ok()
}

/// Returns the settings of a scheduler and their ranges.
fn expected_kwargs(kind: LrSchedulerType) -> &'static str {
    match kind {
        LrSchedulerType::Linear => "empty for linear",
        LrSchedulerType::Constant => "empty for constant",
        LrSchedulerType::ConstantWithWarmup => "empty for constant_with_warmup",
        LrSchedulerType::Cosine => "num_cycles (0 to 1000000) for cosine",
        LrSchedulerType::CosineWithRestarts => "num_cycles (0 to 1000000) for cosine_with_restarts",
        LrSchedulerType::Polynomial => {
            "lr_end (0 or more, below learning_rate) and power (above 0) for polynomial"
        }
        LrSchedulerType::InverseSqrt => "timescale (a whole number above 0) for inverse_sqrt",
        LrSchedulerType::CosineWithMinLr => {
            "either min_lr (0 to learning_rate) or min_lr_rate (0 to 1), and if wanted num_cycles (0 to 1000000), for \
             cosine_with_min_lr"
        }
        LrSchedulerType::CosineWarmupWithMinLr => {
            "either min_lr (0 to learning_rate) or min_lr_rate (0 to 1), and if wanted warmup_lr_rate (0 to 1) and \
             num_cycles (0 to 1000000), for cosine_warmup_with_min_lr"
        }
        LrSchedulerType::WarmupStableDecay => {
            "num_decay_steps (a whole number), and if wanted num_stable_steps (a whole number), warmup_type and \
             decay_type (linear, cosine or 1-sqrt), min_lr_ratio (0 to 1) and num_cycles (0 to 1000000), for \
             warmup_stable_decay"
        }
    }
}

/// Formats the settings like their flag: `num_cycles=2,power=1.5`.
fn as_flag(kwargs: &LrSchedulerKwargs) -> String {
    if kwargs.is_empty() {
        return "empty".to_owned();
    }
    kwargs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

impl fmt::Display for LrSchedulerKwarg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Word(value) => value.fmt(f),
        }
    }
}

impl From<i64> for LrSchedulerKwarg {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for LrSchedulerKwarg {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for LrSchedulerKwarg {
    fn from(value: &str) -> Self {
        Self::Word(value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lr_scheduler::CurveType;

    /// The peak learning rate of the tests.
    const LEARNING_RATE: f64 = 5e-5;

    fn read(kind: &str, kwargs: &str) -> Result<LrScheduler, ConfigError> {
        let kind = serde_json::from_value(kind.into()).unwrap();
        scheduler(kind, &serde_json::from_str(kwargs).unwrap(), LEARNING_RATE)
    }

    #[test]
    fn settings_are_optional_and_have_the_defaults_of_transformers() {
        let cases = [
            ("linear", "{}", LrScheduler::Linear {}),
            ("cosine", "{}", LrScheduler::Cosine { num_cycles: 0.5 }),
            ("cosine_with_restarts", "{}", LrScheduler::CosineWithRestarts { num_cycles: 1.0 }),
            (
                "cosine_with_restarts",
                r#"{"num_cycles": 3}"#,
                LrScheduler::CosineWithRestarts { num_cycles: 3.0 },
            ),
            ("polynomial", "{}", LrScheduler::Polynomial { lr_end: 1e-7, power: 1.0 }),
            (
                "polynomial",
                r#"{"power": 2, "lr_end": 0}"#,
                LrScheduler::Polynomial { lr_end: 0.0, power: 2.0 },
            ),
            ("inverse_sqrt", "{}", LrScheduler::InverseSqrt { timescale: None }),
            (
                "cosine_with_min_lr",
                r#"{"min_lr_rate": 0.1}"#,
                LrScheduler::CosineWithMinLr { num_cycles: 0.5, min_lr: None, min_lr_rate: Some(0.1) },
            ),
            (
                "warmup_stable_decay",
                r#"{"num_decay_steps": 7, "decay_type": "1-sqrt"}"#,
                LrScheduler::WarmupStableDecay {
                    num_decay_steps: 7,
                    num_stable_steps: None,
                    warmup_type: CurveType::Linear,
                    decay_type: CurveType::OneMinusSqrt,
                    min_lr_ratio: 0.0,
                    num_cycles: 0.5,
                },
            ),
        ];
        for (kind, kwargs, expected) in cases {
            assert_eq!(read(kind, kwargs), Ok(expected), "{kind} {kwargs}");
        }
    }

    #[test]
    fn settings_that_a_scheduler_does_not_have_or_allow_are_errors() {
        let cases = [
            ("linear", r#"{"power": 2}"#, "is power=2; it must be empty for linear"),
            ("constant", r#"{"num_cycles": 2}"#, "must be empty for constant"),
            ("constant_with_warmup", r#"{"x": 2}"#, "must be empty for constant_with_warmup"),
            (
                "cosine",
                r#"{"num_cycles": "many"}"#,
                "is num_cycles=many; it must be num_cycles (0 to 1000000) for",
            ),
            ("cosine", r#"{"num_cycles": -1}"#, "is num_cycles=-1; "),
            ("cosine", r#"{"num_cycles": 1e308}"#, "is num_cycles=1"),
            ("cosine_with_restarts", r#"{"num_cycle": 2}"#, "must be num_cycles (0 to 1000000) for"),
            (
                "polynomial",
                r#"{"lr_end": 5e-5}"#,
                "must be lr_end (0 or more, below learning_rate) and power",
            ),
            ("polynomial", r#"{"power": 0}"#, "is power=0; "),
            ("polynomial", r#"{"lr_end": -1}"#, "is lr_end=-1; "),
            ("inverse_sqrt", r#"{"timescale": 0}"#, "must be timescale (a whole number above 0) for"),
            ("inverse_sqrt", r#"{"timescale": 1.5}"#, "is timescale=1.5; "),
            ("cosine_with_min_lr", "{}", "is empty; it must be either min_lr"),
            ("cosine_with_min_lr", r#"{"min_lr": 0, "min_lr_rate": 0}"#, "is min_lr=0,min_lr_rate=0; "),
            (
                "cosine_with_min_lr",
                r#"{"min_lr": 1}"#,
                "is min_lr=1; it must be either min_lr (0 to learning_rate)",
            ),
            ("cosine_with_min_lr", r#"{"min_lr_rate": 0, "warmup_lr_rate": 0}"#, "for cosine_with_min_lr"),
            (
                "cosine_warmup_with_min_lr",
                r#"{"min_lr_rate": 0, "warmup_lr_rate": 2}"#,
                "warmup_lr_rate (0 to 1)",
            ),
            ("warmup_stable_decay", "{}", "is empty; it must be num_decay_steps (a whole number)"),
            ("warmup_stable_decay", r#"{"num_decay_steps": -1}"#, "is num_decay_steps=-1; "),
            (
                "warmup_stable_decay",
                r#"{"num_decay_steps": 1, "decay_type": "sqrt"}"#,
                "is decay_type=sqrt,num_decay_steps=1; ",
            ),
            (
                "warmup_stable_decay",
                r#"{"num_decay_steps": 1, "min_lr_ratio": 1.5}"#,
                "min_lr_ratio (0 to 1)",
            ),
        ];
        for (kind, kwargs, expected) in cases {
            let error = read(kind, kwargs).unwrap_err().to_string();
            assert!(error.starts_with("lr_scheduler_kwargs is ") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn infinity_and_nan_are_errors() {
        for number in [f64::NAN, f64::INFINITY] {
            for (kind, name) in
                [(LrSchedulerType::InverseSqrt, "timescale"), (LrSchedulerType::Polynomial, "power")]
            {
                let kwargs = [(name.to_owned(), number.into())].into();
                assert!(scheduler(kind, &kwargs, LEARNING_RATE).is_err(), "{name} = {number}");
            }
        }
    }

    #[test]
    fn settings_survive_a_round_trip() {
        let text = r#"{"decay_type":"cosine","min_lr_ratio":0.5,"num_decay_steps":7}"#;
        let kwargs: LrSchedulerKwargs = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&kwargs).unwrap(), text);
    }
}
