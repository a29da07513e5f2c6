//! The settings of a training run, with the names of Hugging Face's `TrainingArguments`.

use serde::de::Error;
use serde::{Deserialize, Serialize};

use embert_inference::Batching;
use embert_kernels::Precision;
use embert_text::{BatchBudget, Padding, SamplingStrategy, training_batches};

use crate::best_model::BestModelTracker;
use crate::best_model_metric::BestModelMetric;
use crate::class_weights::ClassWeights;
use crate::config_error::ConfigError;
use crate::loss::Loss;
use crate::lr_scheduler::{LrScheduler, LrSchedulerType};
use crate::lr_scheduler_kwargs::{LrSchedulerKwargs, scheduler};
use crate::optimizer::AdamWConfig;
use crate::schedule::Schedule;
use crate::steps::Steps;
use crate::unfreezing::Unfreezing;

/// The settings of a run. The defaults are Hugging Face's, unless a field says otherwise.
// The first paragraph of a field's documentation is also the help of its flag on the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Factor of the learning rate from each layer to the layer below it, from the head down to the embeddings; 1 is
    /// no decay.
    pub layer_wise_lr_decay: f64,
    /// Batch size of a training micro-batch.
    pub per_device_train_batch_size: usize,
    /// Batch size of evaluation for texts of full length; batches of shorter texts are larger.
    pub per_device_eval_batch_size: usize,
    /// Number of epochs; a fraction stops within an epoch.
    pub num_train_epochs: f64,
    /// Number of optimizer steps, instead of num_train_epochs.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given_steps")]
    pub max_steps: Option<usize>,
    /// Weight decay of AdamW, except for biases and LayerNorm weights.
    pub weight_decay: f64,
    /// Decay rate of AdamW's mean of the gradient.
    pub adam_beta1: f64,
    /// Decay rate of AdamW's mean of the squared gradient.
    pub adam_beta2: f64,
    /// Epsilon of AdamW, added outside the square root.
    pub adam_epsilon: f64,
    /// Clip gradients to this global norm; 0 turns clipping off.
    pub max_grad_norm: f64,
    /// Learning rate schedule after the warm-up.
    pub lr_scheduler_type: LrSchedulerType,
    /// Settings of lr_scheduler_type: num_cycles=2,power=1.5 or a JSON object.
    #[serde(skip_serializing_if = "LrSchedulerKwargs::is_empty")]
    pub lr_scheduler_kwargs: LrSchedulerKwargs,
    /// Number of warm-up steps, instead of warmup_ratio; below 1, a share of the run.
    pub warmup_steps: Steps,
    /// Share of the run for warm-up, rounded up to a step.
    pub warmup_ratio: f64,
    /// Micro-batches per optimizer step; the result equals one large batch.
    pub gradient_accumulation_steps: usize,
    /// Reduce the micro-batch until the run fits into memory, and accumulate more micro-batches.
    ///
    /// [`fit`](crate::fit) ignores this setting. Its caller uses [`find_batch_size`](crate::find_batch_size).
    pub auto_find_batch_size: bool,
    /// Label smoothing, at least 0 and below 1.
    pub label_smoothing_factor: f64,
    /// Weight of each label in the loss: none, balanced, one number per label, or name=number
    pub class_weights: ClassWeights,
    /// Weight of the positive examples of each label with several labels per text: none, balanced, one number per label, or
    /// name=number
    pub pos_weight: ClassWeights,
    /// Loss function of classification.
    pub loss: Loss,
    /// Exponent of the focal loss; 0 is cross-entropy.
    pub focal_gamma: f64,
    /// Log every N optimizer steps; below 1, a share of the run.
    ///
    /// The default is 50 instead of Hugging Face's 500, because runs on a laptop are short.
    pub logging_steps: Steps,
    /// When to evaluate during training.
    pub eval_strategy: IntervalStrategy,
    /// Evaluate every N optimizer steps if eval_strategy is steps; below 1, a share of the run; logging_steps by
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_steps: Option<Steps>,
    /// When to save a checkpoint during training.
    pub save_strategy: IntervalStrategy,
    /// Save a checkpoint every N optimizer steps if save_strategy is steps; below 1, a share of the run.
    pub save_steps: Steps,
    /// Maximum number of checkpoints; the last and the best are never deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_total_limit: Option<usize>,
    /// Finish with the weights of the best evaluation instead of the last weights.
    pub load_best_model_at_end: bool,
    /// Metric to compare evaluations by; loss by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_for_best_model: Option<BestModelMetric>,
    /// Treat a greater metric as better; true by default except for losses and errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greater_is_better: Option<bool>,
    /// Stop after this many evaluations in a row without improvement; never by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping_patience: Option<usize>,
    /// Minimum change of the metric that counts as an improvement.
    pub early_stopping_threshold: f64,
    /// Freeze parameters by name prefix; * matches any characters: bert.embeddings,*.bias
    pub freeze: Vec<String>,
    /// Unfreeze parameters at an epoch, counted from 0: 1:bert.pooler,2:bert
    pub gradual_unfreezing: Vec<Unfreezing>,
    /// Compute matrix products in fp16 with loss scaling (GPU only); the rest stays fp32.
    pub fp16: bool,
    /// Compute matrix products in bf16 if the device supports it; the rest stays fp32.
    pub bf16: bool,
    /// Round fp32 matrix products to TF32 on GPUs that have it; false computes them exactly, several times slower.
    pub tf32: bool,
    /// Recompute each layer in the backward pass: less memory, about a third more time.
    pub gradient_checkpointing: bool,
    /// Seed of the order of examples, of dropout and of new weights.
    pub seed: u64,
    /// Which examples share a batch.
    pub train_sampling_strategy: TrainSamplingStrategy,
    /// Drop the last micro-batch of each epoch if it is not full.
    pub dataloader_drop_last: bool,
}

/// Reads `max_steps`. −1, transformers' default, means that `num_train_epochs` decides.
fn given_steps<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<usize>, D::Error> {
    let steps = Option::<i64>::deserialize(value)?.filter(|steps| *steps != -1);
    let wrong =
        |steps| D::Error::custom(format!("max_steps is {steps}; it must be 1 or more, or -1 for all epochs"));
    steps.map(|steps| usize::try_from(steps).map_err(|_| wrong(steps))).transpose()
}

/// When to evaluate or to save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IntervalStrategy {
    /// Never.
    #[default]
    No,
    /// At the end of every epoch.
    Epoch,
    /// Every `eval_steps` or `save_steps` optimizer steps.
    Steps,
}

/// The sampler of the training batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainSamplingStrategy {
    /// Shuffle all examples in every epoch.
    #[default]
    Random,
    /// Put examples of similar length into a batch, in random order.
    GroupByLength,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            learning_rate: 5e-5,
            layer_wise_lr_decay: 1.0,
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
            lr_scheduler_kwargs: LrSchedulerKwargs::new(),
            warmup_steps: Steps::Count(0),
            warmup_ratio: 0.0,
            gradient_accumulation_steps: 1,
            auto_find_batch_size: false,
            label_smoothing_factor: 0.0,
            class_weights: ClassWeights::None,
            pos_weight: ClassWeights::None,
            loss: Loss::CrossEntropy,
            focal_gamma: 2.0,
            logging_steps: Steps::Count(50),
            eval_strategy: IntervalStrategy::No,
            eval_steps: None,
            save_strategy: IntervalStrategy::Steps,
            save_steps: Steps::Count(500),
            save_total_limit: None,
            load_best_model_at_end: false,
            metric_for_best_model: None,
            greater_is_better: None,
            early_stopping_patience: None,
            early_stopping_threshold: 0.0,
            freeze: vec![],
            gradual_unfreezing: vec![],
            fp16: false,
            bf16: false,
            tf32: true,
            gradient_checkpointing: false,
            seed: 42,
            train_sampling_strategy: TrainSamplingStrategy::Random,
            dataloader_drop_last: false,
        }
    }
}

impl TrainConfig {
    /// Returns the precision of matrix products.
    pub fn precision(&self) -> Precision {
        match (self.fp16, self.bf16, self.tf32) {
            (true, ..) => Precision::Fp16,
            (false, true, _) => Precision::Bf16,
            (false, false, true) => Precision::Tf32,
            (false, false, false) => Precision::Fp32,
        }
    }

    /// Returns the batching of an evaluation of texts with at most `max_length` tokens.
    ///
    /// A batch has at most `per_device_eval_batch_size · max_length` tokens.
    pub fn evaluation_batching(&self, max_length: usize, padding: Padding) -> Batching {
        let budget = BatchBudget::Tokens(self.per_device_eval_batch_size * max_length);
        Batching { budget, padding, precision: self.precision() }
    }

    /// Returns the scheduler that `lr_scheduler_type` and `lr_scheduler_kwargs` describe.
    ///
    /// # Errors
    /// A [`ConfigError`] for an unknown, missing or invalid setting of this scheduler.
    pub fn lr_scheduler(&self) -> Result<LrScheduler, ConfigError> {
        scheduler(self.lr_scheduler_type, &self.lr_scheduler_kwargs, self.learning_rate)
    }

    /// Returns the learning rate schedule of a run of `total_steps` optimizer steps.
    ///
    /// # Errors
    /// The errors of [`lr_scheduler`](Self::lr_scheduler).
    pub fn schedule(&self, total_steps: usize) -> Result<Schedule, ConfigError> {
        let by_ratio = (total_steps as f64 * self.warmup_ratio).ceil() as usize;
        let is_given = self.warmup_steps != Steps::Count(0);
        Ok(Schedule {
            scheduler: self.lr_scheduler()?,
            learning_rate: self.learning_rate,
            warmup_steps: if is_given { self.warmup_steps.of(total_steps) } else { by_ratio },
            total_steps,
        })
    }

    /// Returns the rows of each optimizer step of an epoch. `lengths` has the tokens of each text.
    ///
    /// The rows of a step do not depend on the size of a micro-batch, except for the rows that `dataloader_drop_last`
    /// drops.
    pub(crate) fn windows(&self, lengths: &[usize], epoch: u64) -> Vec<Vec<usize>> {
        let rows_of_step = self.per_device_train_batch_size * self.gradient_accumulation_steps;
        let strategy = match self.train_sampling_strategy {
            TrainSamplingStrategy::Random => SamplingStrategy::Random,
            TrainSamplingStrategy::GroupByLength => SamplingStrategy::GroupByLength,
        };
        let mut windows = training_batches(lengths, rows_of_step, strategy, self.seed, epoch);
        if self.dataloader_drop_last
            && let Some(last) = windows.last_mut()
        {
            last.truncate(last.len() - last.len() % self.per_device_train_batch_size);
            windows.retain(|rows| !rows.is_empty());
        }
        windows
    }

    /// Returns the settings of the optimizer.
    pub fn adamw(&self) -> AdamWConfig {
        AdamWConfig {
            beta1: self.adam_beta1,
            beta2: self.adam_beta2,
            epsilon: self.adam_epsilon,
            weight_decay: self.weight_decay,
            layer_wise_lr_decay: self.layer_wise_lr_decay,
        }
    }

    /// Returns the tracker of the best model; `None` if the run does not compare evaluations.
    pub(crate) fn best_model_tracker(&self) -> Option<BestModelTracker> {
        let metric = self.best_model_metric()?;
        Some(BestModelTracker {
            metric,
            greater_is_better: self.greater_is_better.unwrap_or(metric.greater_is_better()),
            patience: self.early_stopping_patience,
            threshold: self.early_stopping_threshold,
        })
    }

    /// Returns the number of micro-batches of an epoch.
    pub(crate) fn batches_per_epoch(&self, num_examples: usize) -> usize {
        if self.dataloader_drop_last {
            num_examples / self.per_device_train_batch_size
        } else {
            num_examples.div_ceil(self.per_device_train_batch_size)
        }
    }

    /// Returns the number of optimizer steps of an epoch. It is at least 1, as in the Trainer.
    pub fn steps_per_epoch(&self, num_examples: usize) -> usize {
        self.batches_per_epoch(num_examples).div_ceil(self.gradient_accumulation_steps).max(1)
    }

    /// Returns the number of optimizer steps of a run.
    pub fn total_steps(&self, num_examples: usize) -> usize {
        let by_epochs = self.num_train_epochs * self.steps_per_epoch(num_examples) as f64;
        self.max_steps.unwrap_or(by_epochs.ceil() as usize)
    }

    /// Returns the metric that decides which model is the best; `None` if the run does not compare evaluations.
    pub fn best_model_metric(&self) -> Option<BestModelMetric> {
        let compares = self.load_best_model_at_end || self.early_stopping_patience.is_some();
        self.metric_for_best_model.or(compares.then_some(BestModelMetric::Loss))
    }

    /// Returns the number of optimizer steps between evaluations with `eval_strategy = "steps"`, in a run of
    /// `total_steps`.
    pub fn steps_between_evaluations(&self, total_steps: usize) -> usize {
        self.eval_steps.unwrap_or(self.logging_steps).of(total_steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_survive_a_round_trip() {
        let config = TrainConfig::default();
        assert_eq!(config.validate(), Ok(()));
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&written).unwrap(), config);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let error = serde_json::from_str::<TrainConfig>(r#"{"learning_rat": 1}"#).unwrap_err().to_string();
        assert!(error.contains("learning_rat") && error.contains("learning_rate"), "{error}");
    }

    #[test]
    fn drop_last_drops_the_rows_of_the_last_incomplete_micro_batch() {
        let lengths = (1..=23).collect::<Vec<usize>>();
        for train_sampling_strategy in [TrainSamplingStrategy::Random, TrainSamplingStrategy::GroupByLength] {
            for (batch_size, accumulation, kept) in
                [(8, 1, 16), (8, 2, 16), (3, 4, 21), (5, 4, 20), (1, 2, 23), (24, 1, 0)]
            {
                let every = TrainConfig {
                    per_device_train_batch_size: batch_size,
                    gradient_accumulation_steps: accumulation,
                    train_sampling_strategy,
                    ..TrainConfig::default()
                };
                let full = TrainConfig { dataloader_drop_last: true, ..every.clone() };
                let windows = full.windows(&lengths, 1);
                assert!(windows.iter().all(|rows| !rows.is_empty() && rows.len() % batch_size == 0));
                assert_eq!(windows.len().max(1), full.steps_per_epoch(23));
                let rows = windows.concat();
                assert_eq!(rows[..], every.windows(&lengths, 1).concat()[..kept]);
            }
        }
    }

    #[test]
    fn max_steps_of_minus_one_means_no_value() {
        let read = |text: &str| serde_json::from_str::<TrainConfig>(text).map(|config| config.max_steps);
        let cases = [("{}", None), ("-1", None), ("null", None), ("7", Some(7))];
        for (value, expected) in cases {
            let text = if value == "{}" { value.into() } else { format!("{{\"max_steps\": {value}}}") };
            assert_eq!(read(&text).unwrap(), expected, "{text}");
        }
        let error = read("{\"max_steps\": -2}").unwrap_err().to_string();
        assert!(error.starts_with("max_steps is -2; it must be 1 or more, or -1"), "{error}");
    }
}
