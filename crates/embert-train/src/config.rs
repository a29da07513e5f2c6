//! What a training run is told, in the names of Hugging Face's `TrainingArguments`.

use std::fmt;

use serde::{Deserialize, Serialize};

use embert_kernels::Precision;
use embert_text::{BatchBudget, Padding};

use crate::predict::Batching;
use crate::schedule::{LrSchedulerType, Schedule};

/// The settings of a run. `Default` is the only place that holds defaults; they are Hugging Face's unless a
/// field says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The highest learning rate of the schedule.
    pub learning_rate: f64,
    /// Examples in a micro-batch of training.
    pub per_device_train_batch_size: usize,
    /// Examples of full length in a batch of evaluation; of shorter ones it holds more.
    pub per_device_eval_batch_size: usize,
    /// Passes over the training examples; a fraction ends inside an epoch.
    pub num_train_epochs: f64,
    /// Optimizer steps; when given, it decides instead of `num_train_epochs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_steps: Option<usize>,
    /// AdamW's decoupled weight decay; biases and LayerNorm have none.
    pub weight_decay: f64,
    /// AdamW's decay rate of the mean of the gradient.
    pub adam_beta1: f64,
    /// AdamW's decay rate of the mean of the squared gradient.
    pub adam_beta2: f64,
    /// AdamW's ε, added outside the root.
    pub adam_epsilon: f64,
    /// The largest global gradient norm; longer gradients are scaled down to it. 0 leaves them as they are.
    pub max_grad_norm: f64,
    /// How the learning rate goes on after the warm-up.
    pub lr_scheduler_type: LrSchedulerType,
    /// Optimizer steps of warm-up; when above 0, it decides instead of `warmup_ratio`.
    pub warmup_steps: usize,
    /// Share of the run that is warm-up, rounded up to a step.
    pub warmup_ratio: f64,
    /// Micro-batches to one optimizer step, equal to one batch of as many examples.
    pub gradient_accumulation_steps: usize,
    /// Share of a label's probability that is spread over all labels, in `0..1`.
    pub label_smoothing_factor: f64,
    /// How much an example counts, by its label.
    pub class_weights: ClassWeights,
    /// A training log every so many steps (50, where Hugging Face says 500: runs on a laptop are short).
    pub logging_steps: usize,
    /// When the evaluation set is evaluated.
    pub eval_strategy: IntervalStrategy,
    /// Steps from one evaluation to the next under `eval_strategy = "steps"`; `logging_steps` when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_steps: Option<usize>,
    /// When a `checkpoint-N` is written (Hugging Face: every 500 steps; here only on request).
    pub save_strategy: IntervalStrategy,
    /// Steps from one checkpoint to the next under `save_strategy = "steps"`.
    pub save_steps: usize,
    /// Matrix products on operands rounded to bf16; sums, parameters and gradients stay fp32.
    pub bf16: bool,
    /// Layers run again in backward instead of keeping their activations: less memory, about a third more time.
    pub gradient_checkpointing: bool,
    /// The seed of the order of the examples, and of dropout.
    pub seed: u64,
    /// Which examples share a batch.
    pub train_sampling_strategy: TrainSamplingStrategy,
}

/// When something periodic happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalStrategy {
    /// Never.
    #[default]
    No,
    /// At the end of every epoch.
    Epoch,
    /// Every so many optimizer steps.
    Steps,
}

/// Which examples share a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainSamplingStrategy {
    /// Any, shuffled anew every epoch.
    #[default]
    Random,
    /// Those of like length, from groups shuffled anew every epoch.
    GroupByLength,
}

/// How much an example counts in the loss, by its label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "WrittenWeights", into = "WrittenWeights")]
pub enum ClassWeights {
    /// All the same; written `"none"`.
    #[default]
    None,
    /// Number of examples / (number of labels · examples of the label), as scikit-learn's; written `"balanced"`.
    Balanced,
    /// One weight for each label, in the order of the labels.
    List(Vec<f64>),
}

/// The two ways in which a recipe writes [`ClassWeights`].
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"none\", \"balanced\" or a list with one number for each label")]
enum WrittenWeights {
    Rule(WeightRule),
    List(Vec<f64>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WeightRule {
    None,
    Balanced,
}

impl From<WrittenWeights> for ClassWeights {
    fn from(written: WrittenWeights) -> Self {
        match written {
            WrittenWeights::Rule(WeightRule::None) => Self::None,
            WrittenWeights::Rule(WeightRule::Balanced) => Self::Balanced,
            WrittenWeights::List(weights) => Self::List(weights),
        }
    }
}

impl From<ClassWeights> for WrittenWeights {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::None => Self::Rule(WeightRule::None),
            ClassWeights::Balanced => Self::Rule(WeightRule::Balanced),
            ClassWeights::List(weights) => Self::List(weights),
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key} is {found}; it must be {expected}")]
pub struct ConfigError {
    /// The key, as it stands in a recipe.
    pub key: &'static str,
    /// Its value.
    pub found: String,
    /// What the value may be.
    pub expected: &'static str,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            learning_rate: 5e-5,
            per_device_train_batch_size: 8,
            per_device_eval_batch_size: 8,
            num_train_epochs: 3.0,
            max_steps: None,
            weight_decay: 0.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_grad_norm: 1.0,
            lr_scheduler_type: LrSchedulerType::Linear,
            warmup_steps: 0,
            warmup_ratio: 0.0,
            gradient_accumulation_steps: 1,
            label_smoothing_factor: 0.0,
            class_weights: ClassWeights::None,
            logging_steps: 50,
            eval_strategy: IntervalStrategy::No,
            eval_steps: None,
            save_strategy: IntervalStrategy::No,
            save_steps: 500,
            bf16: false,
            gradient_checkpointing: false,
            seed: 42,
            train_sampling_strategy: TrainSamplingStrategy::Random,
        }
    }
}

impl TrainConfig {
    /// Says which value cannot be, if one is.
    ///
    /// # Errors
    /// The first key whose value is out of its range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_optimizer()?;
        self.validate_schedule()?;
        self.validate_loss()?;
        self.validate_intervals()
    }

    /// The precision of matrix products.
    pub fn precision(&self) -> Precision {
        if self.bf16 { Precision::Bf16 } else { Precision::Fp32 }
    }

    /// How texts of at most `max_length` tokens are put into batches of evaluation: as many tokens in each as
    /// `per_device_eval_batch_size` of the longest have.
    pub fn evaluation_batching(&self, max_length: usize, padding: Padding) -> Batching {
        let budget = BatchBudget::Tokens(self.per_device_eval_batch_size * max_length);
        Batching { budget, padding, precision: self.precision() }
    }

    /// The learning rates of a run of `total_steps` optimizer steps.
    pub fn schedule(&self, total_steps: usize) -> Schedule {
        let by_ratio = (total_steps as f64 * self.warmup_ratio).ceil() as usize;
        Schedule {
            kind: self.lr_scheduler_type,
            learning_rate: self.learning_rate,
            warmup_steps: if self.warmup_steps > 0 { self.warmup_steps } else { by_ratio },
            total_steps,
        }
    }

    /// Optimizer steps from one evaluation to the next under `eval_strategy = "steps"`.
    pub fn steps_between_evaluations(&self) -> usize {
        self.eval_steps.unwrap_or(self.logging_steps)
    }

    fn validate_optimizer(&self) -> Result<(), ConfigError> {
        let unit = |x: f64| (0.0..1.0).contains(&x);
        let from_zero = |x: f64| x.is_finite() && x >= 0.0;
        check("learning_rate", self.learning_rate, from_zero, "a number, 0 or more")?;
        check("weight_decay", self.weight_decay, from_zero, "a number, 0 or more")?;
        check("adam_beta1", self.adam_beta1, unit, "at least 0 and below 1")?;
        check("adam_beta2", self.adam_beta2, unit, "at least 0 and below 1")?;
        check("adam_epsilon", self.adam_epsilon, |x| x.is_finite() && x > 0.0, "a number above 0")?;
        check("max_grad_norm", self.max_grad_norm, from_zero, "a number above 0, or 0 for no clipping")
    }

    fn validate_schedule(&self) -> Result<(), ConfigError> {
        check("num_train_epochs", self.num_train_epochs, |x| x.is_finite() && x > 0.0, "a number above 0")?;
        check("max_steps", self.max_steps.unwrap_or(1), |n| n > 0, "1 or more, or left out")?;
        check("warmup_ratio", self.warmup_ratio, |x| (0.0..=1.0).contains(&x), "between 0 and 1")?;
        let warms_up = self.warmup_steps > 0 || self.warmup_ratio > 0.0;
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
        let ClassWeights::List(weights) = &self.class_weights else { return Ok(()) };
        let valid = weights.iter().all(|&weight| weight.is_finite() && weight >= 0.0);
        if valid && weights.iter().any(|&weight| weight > 0.0) {
            return Ok(());
        }
        Err(ConfigError {
            key: "class_weights",
            found: format!("{weights:?}"),
            expected: "\"none\", \"balanced\" or one number for each label, none below 0 and not all 0",
        })
    }

    fn validate_intervals(&self) -> Result<(), ConfigError> {
        let positive = |n: usize| n > 0;
        let counts = [
            ("per_device_train_batch_size", self.per_device_train_batch_size),
            ("per_device_eval_batch_size", self.per_device_eval_batch_size),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps),
            ("logging_steps", self.logging_steps),
            ("eval_steps", self.eval_steps.unwrap_or(1)),
            ("save_steps", self.save_steps),
        ];
        counts.into_iter().try_for_each(|(key, n)| check(key, n, positive, "1 or more"))
    }
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

    /// What is wrong with the defaults after this change, written as JSON.
    #[track_caller]
    fn refusal(change: &str) -> String {
        serde_json::from_str::<TrainConfig>(change).unwrap().validate().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_valid_and_survive_writing() {
        let config = TrainConfig::default();
        assert_eq!(config.validate(), Ok(()));
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&written).unwrap(), config);
    }

    #[test]
    fn every_wrong_value_is_refused_under_its_key() {
        let wrong = [
            r#"{"learning_rate": -1e-5}"#,
            r#"{"per_device_train_batch_size": 0}"#,
            r#"{"per_device_eval_batch_size": 0}"#,
            r#"{"num_train_epochs": 0}"#,
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
            r#"{"logging_steps": 0}"#,
            r#"{"eval_steps": 0}"#,
            r#"{"save_steps": 0}"#,
        ];
        for change in wrong {
            let key = change.split('"').nth(1).unwrap();
            let refusal = refusal(change);
            assert!(refusal.starts_with(&format!("{key} is ")), "{change}: {refusal}");
        }
        assert_eq!(
            refusal(r#"{"max_grad_norm": -1}"#),
            "max_grad_norm is -1; it must be a number above 0, or 0 for no clipping"
        );
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let error = serde_json::from_str::<TrainConfig>(r#"{"learning_rat": 1}"#).unwrap_err().to_string();
        assert!(error.contains("learning_rat") && error.contains("learning_rate"), "{error}");
    }

    #[test]
    fn class_weights_are_a_rule_or_a_list() {
        let read = |text: &str| serde_json::from_str::<ClassWeights>(text);
        assert_eq!(read("\"none\"").unwrap(), ClassWeights::None);
        assert_eq!(read("\"balanced\"").unwrap(), ClassWeights::Balanced);
        assert_eq!(read("[1, 2.5]").unwrap(), ClassWeights::List(vec![1.0, 2.5]));
        let error = read("\"balance\"").unwrap_err().to_string();
        assert_eq!(error, "expected \"none\", \"balanced\" or a list with one number for each label");
        assert_eq!(serde_json::to_string(&ClassWeights::Balanced).unwrap(), "\"balanced\"");
    }
}
