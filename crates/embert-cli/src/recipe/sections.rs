//! The sections and keys of a recipe.

use embert_data::{Columns, CsvQuoting, ReadOptions};
use embert_model::{AutoConfig, EncoderConfig, LoraConfig};
use embert_text::Truncation;
use embert_train::{IntervalStrategy, TrainConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model_type::ModelType;
use crate::error::CliError;

/// All settings of a run.
///
/// The `Default` of each section has the only copy of its defaults. The first paragraph of a field's doc comment is the
/// help of its flag.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) model: ModelSection,
    pub(crate) data: DataSection,
    pub(crate) train: TrainConfig,
    pub(crate) output: OutputSection,
    /// The adapter to train instead of all weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lora: Option<LoraConfig>,
}

impl Recipe {
    /// Formats the recipe as TOML.
    pub(crate) fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a recipe is TOML")
    }
}

/// The model to start from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ModelSection {
    /// Directory or hub id of the pretrained model.
    ///
    /// Ignored if `scratch` is set.
    pub(crate) model_name_or_path: String,
    /// Directory of an adapter of this model to train further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adapter: Option<String>,
    /// Train a new head if the labels of the data are not among those of a fine-tuned model.
    pub(crate) ignore_mismatched_sizes: bool,
    /// Dropout rate of hidden states, instead of config.json's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden_dropout_prob: Option<f64>,
    /// Dropout rate of attention probabilities, instead of config.json's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attention_probs_dropout_prob: Option<f64>,
    /// Dropout rate before the classifier, instead of config.json's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) classifier_dropout: Option<f64>,
    /// Sizes of a model with random weights. Its vocabulary is learned from the training texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scratch: Option<ScratchSection>,
}

/// The sizes of a model with random weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScratchSection {
    /// Architecture of a model with random weights; needs all six sizes.
    #[serde(default)]
    pub(crate) model_type: ModelType,
    /// Maximum number of tokens in the vocabulary of a model with random weights.
    pub(crate) vocab_size: usize,
    /// Width of the hidden states of a model with random weights.
    pub(crate) hidden_size: usize,
    /// Number of layers of a model with random weights.
    pub(crate) num_hidden_layers: usize,
    /// Number of attention heads per layer of a model with random weights.
    pub(crate) num_attention_heads: usize,
    /// Width of the feed-forward network of a model with random weights.
    pub(crate) intermediate_size: usize,
    /// Maximum number of positions of a model with random weights.
    pub(crate) max_position_embeddings: usize,
}

/// The data, and the tokenization of texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSection {
    /// imdb, synthetic, a hub id, a directory, or a .parquet, .csv, .tsv or .jsonl file.
    pub(crate) dataset_name: String,
    /// File to train on, instead of the data set's training split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) train_file: Option<String>,
    /// File to evaluate on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation_file: Option<String>,
    /// File to evaluate on if there is no validation_file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test_file: Option<String>,
    /// Split to train on.
    pub(crate) train_split_name: String,
    /// Split to evaluate on.
    pub(crate) test_split_name: String,
    /// Fraction of the rows to hold out for evaluation if no evaluation data is given; stratified.
    pub(crate) validation_share: f64,
    /// Column with the texts.
    pub(crate) text_column_name: String,
    /// Column with the labels: integers or names.
    pub(crate) label_column_name: String,
    /// Quotes in csv and tsv: minimal, or none if they are ordinary characters.
    pub(crate) csv_quoting: String,
    /// Drop rows without a label.
    pub(crate) drop_unlabelled: bool,
    /// Positive label of F1, precision and recall; by default the second of two labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pos_label: Option<String>,
    /// Train on shuffle(shuffle_seed).select(range(N)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_train_samples: Option<usize>,
    /// Evaluate on shuffle(shuffle_seed).select(range(N)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_eval_samples: Option<usize>,
    /// Seed of the samples and of the held-out rows.
    pub(crate) shuffle_seed: u64,
    /// Number of reviews that the data set synthetic generates.
    pub(crate) synthetic_reviews: usize,
    /// Remove HTML tags and entities, control characters and repeated white space.
    pub(crate) clean: bool,
    /// Maximum number of tokens per text, including [CLS] and [SEP].
    pub(crate) max_seq_length: usize,
    /// Which end of a longer text is cut: right, left, or head+tail(128,126) to cut the middle.
    pub(crate) truncation_side: String,
}

/// The files of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutputSection {
    /// Directory of the finished run.
    pub(crate) output_dir: String,
    /// Replace the files of an existing run; other files stay.
    pub(crate) overwrite_output_dir: bool,
    /// What to do when a checkpoint or a line of the log cannot be written, such as on a full disk.
    pub(crate) on_save_error: OnSaveError,
    /// Evaluate once when training ends, even if eval_strategy is no.
    pub(crate) do_eval: bool,
}

/// What to do when a checkpoint or a line of the log cannot be written, such as on a full disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnSaveError {
    /// Warn, and try again at the next checkpoint.
    #[default]
    Continue,
    /// End the run.
    Stop,
}

impl Default for ModelSection {
    fn default() -> Self {
        Self {
            model_name_or_path: "bert-base-uncased".into(),
            adapter: None,
            ignore_mismatched_sizes: false,
            hidden_dropout_prob: None,
            attention_probs_dropout_prob: None,
            classifier_dropout: None,
            scratch: None,
        }
    }
}

impl Default for DataSection {
    fn default() -> Self {
        let columns = Columns::default();
        Self {
            dataset_name: "imdb".into(),
            train_file: None,
            validation_file: None,
            test_file: None,
            train_split_name: "train".into(),
            test_split_name: "test".into(),
            validation_share: 0.2,
            text_column_name: columns.texts.concat(),
            label_column_name: columns.labels.concat(),
            csv_quoting: CsvQuoting::default().to_string(),
            drop_unlabelled: false,
            pos_label: None,
            max_train_samples: None,
            max_eval_samples: None,
            shuffle_seed: 42,
            synthetic_reviews: 3000,
            clean: false,
            max_seq_length: 512,
            truncation_side: Truncation::default().to_string(),
        }
    }
}

impl Default for OutputSection {
    fn default() -> Self {
        Self {
            output_dir: "runs/embert".into(),
            overwrite_output_dir: false,
            on_save_error: OnSaveError::default(),
            do_eval: false,
        }
    }
}

impl Recipe {
    /// Returns true if the run evaluates during or after training.
    pub(crate) fn evaluates(&self) -> bool {
        self.train.eval_strategy != IntervalStrategy::No || self.output.do_eval
    }
}

impl DataSection {
    /// Returns the settings of the file readers.
    pub(crate) fn read_options(&self) -> Result<ReadOptions, CliError> {
        let columns = Columns::new(&self.text_column_name, &self.label_column_name);
        let csv_quoting = self.csv_quoting.parse().map_err(CliError::usage)?;
        Ok(ReadOptions {
            columns,
            csv_quoting,
            drop_unlabelled: self.drop_unlabelled,
            ..ReadOptions::default()
        })
    }

    /// Returns the evaluation file.
    pub(crate) fn eval_file(&self) -> Option<&String> {
        self.validation_file.as_ref().or(self.test_file.as_ref())
    }
}

impl ModelSection {
    /// Returns the name of the adapter or model that is trained further.
    pub(crate) fn name(&self) -> &str {
        self.adapter.as_ref().unwrap_or(&self.model_name_or_path)
    }

    /// Sets the recipe's dropout rates in a config.
    pub(crate) fn with_dropout(&self, mut config: AutoConfig) -> AutoConfig {
        let encoder = &mut config.encoder;
        encoder.hidden_dropout_prob = self.hidden_dropout_prob.unwrap_or(encoder.hidden_dropout_prob);
        encoder.attention_probs_dropout_prob =
            self.attention_probs_dropout_prob.unwrap_or(encoder.attention_probs_dropout_prob);
        encoder.classifier_dropout = self.classifier_dropout.or(encoder.classifier_dropout);
        config
    }
}

impl ScratchSection {
    /// Returns the config of the model, given the size of its vocabulary.
    pub(crate) fn config(&self, vocab_size: usize) -> AutoConfig {
        let ModelType(architecture) = self.model_type;
        let base = (architecture.default_config)();
        let encoder = EncoderConfig {
            vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            initializer_range: self.initializer_range(base.initializer_range, base.hidden_size),
            ..base
        };
        AutoConfig::new(architecture, encoder)
    }

    /// Scales the base model's initializer range by √(its width / this width), which keeps the variance of outputs.
    fn initializer_range(&self, base: f64, base_hidden_size: usize) -> f64 {
        base * (base_hidden_size as f64 / self.hidden_size as f64).sqrt()
    }
}
