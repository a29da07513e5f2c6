//! Settings without effect, because of another setting.

use crate::config::{IntervalStrategy, TrainConfig};
use crate::loss::Loss;
use crate::steps::Steps;

/// A setting that differs from its default and has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredSetting {
    /// The key.
    pub key: &'static str,
    /// The value.
    pub value: String,
    /// The reason.
    pub why: &'static str,
}

impl TrainConfig {
    /// Returns the settings without effect. `has_eval` says if the run has evaluation examples.
    pub fn ignored_settings(&self, has_eval: bool) -> Vec<IgnoredSetting> {
        let evaluation = self.ignored_evaluation_settings(has_eval);
        let ignored = evaluation.into_iter().chain(self.ignored_save_settings());
        let ignored = ignored.chain(self.ignored_length_settings());
        ignored.chain(self.ignored_loss_settings()).flatten().collect()
    }

    fn ignored_evaluation_settings(&self, has_eval: bool) -> [Option<IgnoredSetting>; 5] {
        let evaluates = has_eval && self.eval_strategy != IntervalStrategy::No;
        let by_steps = has_eval && self.eval_strategy == IntervalStrategy::Steps;
        let is_compared = self.best_model_metric().is_some();
        let default = Self::default();
        [
            unless(by_steps, "eval_steps", self.eval_steps, "eval_strategy is not \"steps\""),
            unless(
                evaluates,
                "metric_for_best_model",
                self.metric_for_best_model,
                "training evaluates nothing: eval_strategy is \"no\" or there are no examples",
            ),
            unless(
                evaluates && is_compared,
                "greater_is_better",
                self.greater_is_better,
                "no setting compares models",
            ),
            unless(
                self.early_stopping_patience.is_some(),
                "early_stopping_threshold",
                changed(self.early_stopping_threshold, default.early_stopping_threshold),
                "early_stopping_patience is not given",
            ),
            unless(
                evaluates,
                "early_stopping_patience",
                self.early_stopping_patience,
                "training evaluates nothing: eval_strategy is \"no\" or there are no examples",
            ),
        ]
    }

    fn ignored_save_settings(&self) -> [Option<IgnoredSetting>; 2] {
        let saves = self.save_strategy != IntervalStrategy::No;
        [
            unless(
                self.save_strategy == IntervalStrategy::Steps,
                "save_steps",
                changed(self.save_steps, Self::default().save_steps),
                "save_strategy is not \"steps\"",
            ),
            unless(
                saves || self.load_best_model_at_end,
                "save_total_limit",
                self.save_total_limit,
                "save_strategy is \"no\"",
            ),
        ]
    }

    fn ignored_loss_settings(&self) -> [Option<IgnoredSetting>; 1] {
        let focal_gamma = changed(self.focal_gamma, Self::default().focal_gamma);
        [unless(self.loss == Loss::Focal, "focal_gamma", focal_gamma, "loss is not \"focal\"")]
    }

    fn ignored_length_settings(&self) -> [Option<IgnoredSetting>; 2] {
        let default = Self::default();
        [
            unless(
                self.warmup_steps == Steps::Count(0),
                "warmup_ratio",
                changed(self.warmup_ratio, default.warmup_ratio),
                "warmup_steps is given",
            ),
            unless(
                self.max_steps.is_none(),
                "num_train_epochs",
                changed(self.num_train_epochs, default.num_train_epochs),
                "max_steps is given",
            ),
        ]
    }
}

fn changed<T: PartialEq>(value: T, default: T) -> Option<T> {
    (value != default).then_some(value)
}

/// Returns the setting if it was given and has no effect.
fn unless<T: ToString>(
    has_effect: bool,
    key: &'static str,
    given: Option<T>,
    why: &'static str,
) -> Option<IgnoredSetting> {
    let value = given.filter(|_| !has_effect)?.to_string();
    Some(IgnoredSetting { key, value, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the ignored keys of a run with evaluation examples.
    #[track_caller]
    fn check(change: &str, expected: &[&str]) {
        let config: TrainConfig = serde_json::from_str(change).unwrap();
        let keys = config.ignored_settings(true).into_iter().map(|ignored| ignored.key);
        assert_eq!(keys.collect::<Vec<_>>(), expected, "{change}");
    }

    #[test]
    fn settings_without_effect_are_listed() {
        let cases: [(&str, &[&str]); 14] = [
            (r#"{"eval_steps": 5}"#, &["eval_steps"]),
            (r#"{"eval_steps": 5, "eval_strategy": "epoch"}"#, &["eval_steps"]),
            (r#"{"metric_for_best_model": "f1"}"#, &["metric_for_best_model"]),
            (
                r#"{"metric_for_best_model": "f1", "greater_is_better": true}"#,
                &["metric_for_best_model", "greater_is_better"],
            ),
            (r#"{"greater_is_better": true, "eval_strategy": "epoch"}"#, &["greater_is_better"]),
            (r#"{"early_stopping_threshold": 0.1}"#, &["early_stopping_threshold"]),
            (r#"{"early_stopping_threshold": 0.1, "eval_strategy": "epoch"}"#, &["early_stopping_threshold"]),
            (r#"{"save_steps": 5, "save_strategy": "epoch"}"#, &["save_steps"]),
            (r#"{"save_steps": 5, "save_strategy": "no"}"#, &["save_steps"]),
            (r#"{"save_total_limit": 2, "save_strategy": "no"}"#, &["save_total_limit"]),
            (r#"{"warmup_ratio": 0.1, "warmup_steps": 5}"#, &["warmup_ratio"]),
            (r#"{"warmup_ratio": 0.1, "warmup_steps": 0.2}"#, &["warmup_ratio"]),
            (r#"{"num_train_epochs": 2, "max_steps": 5}"#, &["num_train_epochs"]),
            ("{}", &[]),
        ];
        cases.into_iter().for_each(|(change, expected)| check(change, expected));
    }

    #[test]
    fn settings_with_an_effect_or_a_default_value_are_not_listed() {
        let effective = [
            r#"{"eval_steps": 5, "eval_strategy": "steps"}"#,
            r#"{"metric_for_best_model": "f1", "greater_is_better": false, "eval_strategy": "epoch"}"#,
            r#"{"early_stopping_threshold": 0.1, "early_stopping_patience": 2, "eval_strategy": "epoch"}"#,
            r#"{"save_steps": 5}"#,
            r#"{"save_steps": 500, "save_strategy": "no", "early_stopping_threshold": 0}"#,
            r#"{"save_total_limit": 2}"#,
            r#"{"save_total_limit": 2, "save_strategy": "no", "load_best_model_at_end": true, "eval_strategy": "epoch"}"#,
            r#"{"warmup_ratio": 0.1}"#,
            r#"{"num_train_epochs": 3, "max_steps": 5}"#,
        ];
        effective.into_iter().for_each(|change| check(change, &[]));
    }

    #[test]
    fn evaluation_settings_have_no_effect_without_evaluation_examples() {
        let change = r#"{"eval_strategy": "steps", "eval_steps": 5, "metric_for_best_model": "loss"}"#;
        let config: TrainConfig = serde_json::from_str(change).unwrap();
        let ignored = config.ignored_settings(false);
        assert_eq!(
            ignored.iter().map(|ignored| (ignored.key, ignored.value.as_str())).collect::<Vec<_>>(),
            [("eval_steps", "5"), ("metric_for_best_model", "eval_loss")]
        );
    }
}
