//! Settings that were given and have no effect, because another setting turns them off.

use crate::config::{IntervalStrategy, TrainConfig};

/// A setting that differs from its default and has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ineffective {
    /// The key, as in a recipe.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// Why it has no effect.
    pub why: &'static str,
}

impl TrainConfig {
    /// Returns the settings that have no effect in a run with or without evaluation examples.
    pub fn ineffective(&self, has_eval: bool) -> Vec<Ineffective> {
        let found = self.of_evaluation(has_eval).into_iter().chain(self.of_saving()).chain(self.of_length());
        found.flatten().collect()
    }

    fn of_evaluation(&self, has_eval: bool) -> [Option<Ineffective>; 5] {
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
                "no metric says which model is the best",
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

    fn of_saving(&self) -> [Option<Ineffective>; 2] {
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

    fn of_length(&self) -> [Option<Ineffective>; 2] {
        let default = Self::default();
        [
            unless(
                self.warmup_steps == 0,
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

/// A value that was given, unless it has an effect.
fn unless<T: ToString>(
    has_effect: bool,
    key: &'static str,
    given: Option<T>,
    why: &'static str,
) -> Option<Ineffective> {
    let value = given.filter(|_| !has_effect)?.to_string();
    Some(Ineffective { key, value, why })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys without effect, in a run with evaluation examples.
    #[track_caller]
    fn check(change: &str, expected: &[&str]) {
        let config: TrainConfig = serde_json::from_str(change).unwrap();
        let found = config.ineffective(true);
        assert_eq!(found.iter().map(|found| found.key).collect::<Vec<_>>(), expected, "{change}");
    }

    #[test]
    fn settings_that_another_setting_turns_off_are_listed() {
        let cases: [(&str, &[&str]); 13] = [
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
    fn without_examples_the_settings_of_evaluations_have_no_effect() {
        let change = r#"{"eval_strategy": "steps", "eval_steps": 5, "metric_for_best_model": "loss"}"#;
        let config: TrainConfig = serde_json::from_str(change).unwrap();
        let found = config.ineffective(false);
        assert_eq!(
            found.iter().map(|found| (found.key, found.value.as_str())).collect::<Vec<_>>(),
            [("eval_steps", "5"), ("metric_for_best_model", "eval_loss")]
        );
    }
}
