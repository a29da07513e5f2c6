//! Checks the value of each setting.

use std::fmt;
use std::ops::RangeInclusive;

use crate::class_weights::ClassWeights;
use crate::config::{IntervalStrategy, TrainConfig};
use crate::config_error::ConfigError;
use crate::loss::Loss;
use crate::lr_scheduler::LrSchedulerType;
use crate::steps::Steps;

impl TrainConfig {
    /// Checks the value of each setting.
    ///
    /// # Errors
    /// A [`ConfigError`] for the first invalid value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_optimizer()?;
        self.validate_schedule()?;
        self.validate_loss()?;
        self.validate_intervals()?;
        self.validate_best_model()?;
        check("fp16", self.fp16, |fp16| !(fp16 && self.bf16), "false if bf16 is true")
    }

    fn validate_optimizer(&self) -> Result<(), ConfigError> {
        let unit = |x: f64| (0.0..1.0).contains(&x);
        let from_zero = |x: f64| x.is_finite() && x >= 0.0;
        check("learning_rate", self.learning_rate, from_zero, "a number, 0 or more")?;
        let decays = |x: f64| x > 0.0 && x <= 1.0;
        check("layer_wise_lr_decay", self.layer_wise_lr_decay, decays, "above 0 and at most 1")?;
        check("weight_decay", self.weight_decay, from_zero, "a number, 0 or more")?;
        check("adam_beta1", self.adam_beta1, unit, "at least 0 and below 1")?;
        check("adam_beta2", self.adam_beta2, unit, "at least 0 and below 1")?;
        check("adam_epsilon", self.adam_epsilon, |x| x.is_finite() && x > 0.0, "a number above 0")?;
        check("max_grad_norm", self.max_grad_norm, from_zero, "a number above 0, or 0 for no clipping")
    }

    fn validate_schedule(&self) -> Result<(), ConfigError> {
        let epochs = |x: f64| x > 0.0 && x <= 1e6;
        check("num_train_epochs", self.num_train_epochs, epochs, "above 0 and at most 1000000")?;
        check("max_steps", self.max_steps.unwrap_or(1), |n| n > 0, "1 or more, or left out")?;
        check("warmup_ratio", self.warmup_ratio, |x| (0.0..=1.0).contains(&x), "between 0 and 1")?;
        let is_warmup = |steps: Steps| steps == Steps::Count(0) || steps.is_positive();
        check("warmup_steps", self.warmup_steps, is_warmup, "a whole number, or a share below 1")?;
        self.lr_scheduler()?;
        let warms_up = self.warmup_steps != Steps::Count(0) || self.warmup_ratio > 0.0;
        if self.lr_scheduler_type == LrSchedulerType::Constant && warms_up {
            return Err(ConfigError {
                key: "lr_scheduler_type",
                found: "constant, which has no warm-up".to_owned(),
                expected: "constant_with_warmup when warmup_steps or warmup_ratio is given",
            });
        }
        Ok(())
    }

    fn validate_loss(&self) -> Result<(), ConfigError> {
        let unit = |x: f64| (0.0..1.0).contains(&x);
        check("label_smoothing_factor", self.label_smoothing_factor, unit, "at least 0 and below 1")?;
        check("focal_gamma", self.focal_gamma, |x| x.is_finite() && x >= 0.0, "a number, 0 or more")?;
        if self.loss == Loss::Focal && self.label_smoothing_factor > 0.0 {
            let expected = "0 with loss \"focal\"";
            return check("label_smoothing_factor", self.label_smoothing_factor, |_| false, expected);
        }
        check_weights("class_weights", &self.class_weights)?;
        check_weights("pos_weight", &self.pos_weight)
    }

    fn validate_intervals(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("per_device_train_batch_size", self.per_device_train_batch_size),
            ("per_device_eval_batch_size", self.per_device_eval_batch_size),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps),
        ];
        let countable = |n: usize| (1..=1 << 20).contains(&n);
        sizes.into_iter().try_for_each(|(key, n)| check(key, n, countable, "between 1 and 1048576"))?;
        let positive = |n: usize| n > 0;
        let counts = [
            ("save_total_limit", self.save_total_limit.unwrap_or(1)),
            ("early_stopping_patience", self.early_stopping_patience.unwrap_or(1)),
        ];
        counts.into_iter().try_for_each(|(key, n)| check(key, n, positive, "1 or more"))?;
        let intervals = [
            ("logging_steps", self.logging_steps),
            ("eval_steps", self.eval_steps.unwrap_or(self.logging_steps)),
            ("save_steps", self.save_steps),
        ];
        let expected = "1 or more, or a share of the run between 0 and 1";
        intervals.into_iter().try_for_each(|(key, steps)| check(key, steps, Steps::is_positive, expected))?;
        let is_kept = |drops_last: bool| !(drops_last && self.auto_find_batch_size);
        check("dataloader_drop_last", self.dataloader_drop_last, is_kept, "false with auto_find_batch_size")
    }

    fn validate_best_model(&self) -> Result<(), ConfigError> {
        let from_zero = |x: f64| x.is_finite() && x >= 0.0;
        check("early_stopping_threshold", self.early_stopping_threshold, from_zero, "a number, 0 or more")?;
        let needs_evaluations = [
            ("load_best_model_at_end", self.load_best_model_at_end.then(|| true.to_string())),
            ("early_stopping_patience", self.early_stopping_patience.map(|n| n.to_string())),
        ];
        let given = needs_evaluations.into_iter().find_map(|(key, value)| Some((key, value?)));
        match given {
            Some((key, found)) if self.eval_strategy == IntervalStrategy::No => {
                let expected = "left out, or given together with eval_strategy \"epoch\" or \"steps\"";
                Err(ConfigError { key, found, expected })
            }
            _ => Ok(()),
        }
    }
}

/// Weights other than 0 are far enough from the limits of f32 that their products with losses are finite.
const WEIGHTS: RangeInclusive<f64> = 1e-30..=1e30;

fn check_weights(key: &'static str, weights: &ClassWeights) -> Result<(), ConfigError> {
    let numbers = weights.numbers();
    let has_numbers = matches!(weights, ClassWeights::List(_) | ClassWeights::Names(_));
    let valid = numbers.iter().all(|weight| *weight == 0.0 || WEIGHTS.contains(weight));
    if !has_numbers || valid && numbers.iter().any(|&weight| weight > 0.0) {
        return Ok(());
    }
    Err(ConfigError {
        key,
        found: weights.to_text(),
        expected: "\"none\", \"balanced\" or one number for each label: 0 or between 1e-30 and 1e30, not all 0",
    })
}

fn check<T: Copy + fmt::Display>(
    key: &'static str,
    value: T,
    is_valid: impl Fn(T) -> bool,
    expected: &'static str,
) -> Result<(), ConfigError> {
    if is_valid(value) {
        return Ok(());
    }
    Err(ConfigError { key, found: value.to_string(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the error of the defaults with this change, written as JSON.
    #[track_caller]
    fn error_of(change: &str) -> String {
        serde_json::from_str::<TrainConfig>(change).unwrap().validate().unwrap_err().to_string()
    }

    #[test]
    fn weights_may_be_zero_and_of_any_usual_size() {
        for key in ["class_weights", "pos_weight"] {
            for weights in ["[0, 1]", "[1e-30, 1e30]", r#"{"a": 0, "b": 2.5}"#, r#""balanced""#, r#""none""#]
            {
                let config = serde_json::from_str::<TrainConfig>(&format!("{{{key:?}: {weights}}}")).unwrap();
                assert_eq!(config.validate(), Ok(()), "{key} {weights}");
            }
        }
    }

    #[test]
    fn every_invalid_value_is_an_error_with_its_key() {
        let wrong = [
            r#"{"learning_rate": -1e-5}"#,
            r#"{"per_device_train_batch_size": 0}"#,
            r#"{"per_device_eval_batch_size": 0}"#,
            r#"{"num_train_epochs": 0}"#,
            r#"{"num_train_epochs": 1e308}"#,
            r#"{"per_device_train_batch_size": 1000000000000000000}"#,
            r#"{"per_device_eval_batch_size": 1000000000000000000}"#,
            r#"{"gradient_accumulation_steps": 1048577}"#,
            r#"{"max_steps": 0}"#,
            r#"{"weight_decay": -0.1}"#,
            r#"{"adam_beta1": 1}"#,
            r#"{"adam_beta2": -0.5}"#,
            r#"{"adam_epsilon": 0}"#,
            r#"{"max_grad_norm": -1}"#,
            r#"{"lr_scheduler_type": "constant", "warmup_steps": 10}"#,
            r#"{"warmup_ratio": 1.5}"#,
            r#"{"gradient_accumulation_steps": 0}"#,
            r#"{"label_smoothing_factor": 1}"#,
            r#"{"class_weights": [1, -1]}"#,
            r#"{"class_weights": [0, 0]}"#,
            r#"{"class_weights": {"a": 0}}"#,
            r#"{"class_weights": {"a": -1, "b": 2}}"#,
            r#"{"class_weights": [1, 1e39]}"#,
            r#"{"class_weights": [1e-45, 1]}"#,
            r#"{"class_weights": {"a": 1e300}}"#,
            r#"{"class_weights": [0, 1e-31]}"#,
            r#"{"pos_weight": [1, -1]}"#,
            r#"{"pos_weight": [1, 1e31]}"#,
            r#"{"pos_weight": {"a": 1e-40, "b": 1}}"#,
            r#"{"focal_gamma": -1}"#,
            r#"{"label_smoothing_factor": 0.1, "loss": "focal"}"#,
            r#"{"logging_steps": 0}"#,
            r#"{"eval_steps": 0}"#,
            r#"{"save_steps": 0}"#,
            r#"{"save_total_limit": 0}"#,
            r#"{"dataloader_drop_last": true, "auto_find_batch_size": true}"#,
            r#"{"lr_scheduler_kwargs": {"power": 2}}"#,
            r#"{"lr_scheduler_kwargs": {}, "lr_scheduler_type": "cosine_with_min_lr"}"#,
            r#"{"lr_scheduler_type": "constant", "warmup_steps": 0.1}"#,
            r#"{"layer_wise_lr_decay": 0}"#,
            r#"{"layer_wise_lr_decay": 1.1}"#,
            r#"{"early_stopping_patience": 0}"#,
            r#"{"early_stopping_patience": 2}"#,
            r#"{"early_stopping_threshold": -0.1}"#,
            r#"{"load_best_model_at_end": true}"#,
            r#"{"fp16": true, "bf16": true}"#,
        ];
        for change in wrong {
            let key = change.split('"').nth(1).unwrap();
            let error = error_of(change);
            assert!(error.starts_with(&format!("{key} is ")), "{change}: {error}");
        }
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            let steps = Steps::Share(share);
            let changes = [
                TrainConfig { warmup_steps: steps, ..TrainConfig::default() },
                TrainConfig { logging_steps: steps, ..TrainConfig::default() },
                TrainConfig { eval_steps: Some(steps), ..TrainConfig::default() },
                TrainConfig { save_steps: steps, ..TrainConfig::default() },
            ];
            assert!(changes.iter().all(|config| config.validate().is_err()), "{share}");
        }
        assert_eq!(
            error_of(r#"{"save_steps": 0}"#),
            "save_steps is 0; it must be 1 or more, or a share of the run between 0 and 1"
        );
        assert_eq!(
            error_of(r#"{"max_grad_norm": -1}"#),
            "max_grad_norm is -1; it must be a number above 0, or 0 for no clipping"
        );
        assert_eq!(
            error_of(r#"{"early_stopping_patience": 2}"#),
            "early_stopping_patience is 2; it must be left out, or given together with eval_strategy \"epoch\" or \
             \"steps\""
        );
        assert_eq!(
            error_of(r#"{"load_best_model_at_end": true}"#),
            "load_best_model_at_end is true; it must be left out, or given together with eval_strategy \"epoch\" or \
             \"steps\""
        );
    }
}
