//! The sections and keys of a recipe.

use std::path::Path;

use embert_data::{Columns, CsvQuoting, LabelMap, ReadOptions};
use embert_model::{AutoConfig, EncoderConfig, LoraConfig, ProblemType};
use embert_text::{Truncation, TruncationStrategy};
use embert_train::{IntervalStrategy, TrainConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model_type::ModelType;
use crate::error::CliError;
use crate::problem_type;

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
    /// imdb, synthetic, a hub id, a directory, a glob or a file: parquet, csv, tsv, json, jsonl, txt or arrow.
    pub(crate) dataset_name: String,
    /// Configuration of a hub data set, or sub-folder of a directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dataset_config_name: Option<String>,
    /// GLUE task, which sets the data set, the columns, the labels and the metric: cola, sst2, mrpc, qqp, stsb, mnli,
    /// qnli, rte or wnli.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_name: Option<String>,
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
    /// Column with the texts, or several columns to join: title,body
    pub(crate) text_column_name: String,
    /// Text between joined columns.
    pub(crate) text_column_delimiter: String,
    /// Column with the second texts of sentence pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_pair_column_name: Option<String>,
    /// Column with the labels: integers, names, lists of them, or numbers for regression.
    pub(crate) label_column_name: String,
    /// Several label columns: 0 or 1 for each label, or the targets of regression: toxic,obscene,insult
    pub(crate) label_columns: Vec<String>,
    /// Separator of the labels in a cell, for multi-label classification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_separator: Option<String>,
    /// Names of label values: 1=negative,2=neutral, or a csv or json file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label_map: Option<String>,
    /// Problem type; by default, the labels decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem_type: Option<ProblemType>,
    /// Quotes in csv and tsv: minimal, or none if they are ordinary characters.
    pub(crate) csv_quoting: String,
    /// Separator of csv and tsv, instead of that of the extension: one character, or tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) csv_separator: Option<String>,
    /// Encoding of csv, tsv, txt and json: utf-8, latin-1, windows-1252, utf-16 or another one of the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) csv_encoding: Option<String>,
    /// Column names of a csv or tsv file without a header.
    pub(crate) csv_column_names: Vec<String>,
    /// Key of the array of rows in a json file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) json_field: Option<String>,
    /// Drop rows without a label.
    pub(crate) drop_unlabelled: bool,
    /// Positive label of F1, precision and recall; by default the second of two labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pos_label: Option<String>,
    /// Score from which a label is predicted, in multi-label classification; 0.5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threshold: Option<f64>,
    /// Fit the threshold of each label on the evaluation rows, and save it with the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fit_threshold: Option<FitThreshold>,
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
    /// Which text of a pair is cut: longest_first, only_first or only_second.
    pub(crate) truncation_strategy: String,
}

/// The measure that thresholds are fitted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FitThreshold {
    /// The greatest F1 of each label.
    F1,
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
            dataset_config_name: None,
            task_name: None,
            train_file: None,
            validation_file: None,
            test_file: None,
            train_split_name: "train".into(),
            test_split_name: "test".into(),
            validation_share: 0.2,
            text_column_name: columns.texts.join(","),
            text_column_delimiter: " ".into(),
            text_pair_column_name: None,
            label_column_name: columns.labels.join(","),
            label_columns: vec![],
            label_separator: None,
            label_map: None,
            problem_type: None,
            csv_quoting: CsvQuoting::default().to_string(),
            csv_separator: None,
            csv_encoding: None,
            csv_column_names: vec![],
            json_field: None,
            drop_unlabelled: false,
            pos_label: None,
            threshold: None,
            fit_threshold: None,
            max_train_samples: None,
            max_eval_samples: None,
            shuffle_seed: 42,
            synthetic_reviews: 3000,
            clean: false,
            max_seq_length: 512,
            truncation_side: Truncation::default().to_string(),
            truncation_strategy: TruncationStrategy::default().to_string(),
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
    /// Returns the settings of the file readers. `trained` is the problem type of a fine-tuned model.
    pub(crate) fn read_options(
        &self,
        trained: Option<embert_data::ProblemType>,
    ) -> Result<ReadOptions, CliError> {
        let names = |names: &str| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        let labels = if self.label_columns.is_empty() {
            vec![self.label_column_name.clone()]
        } else {
            self.label_columns.clone()
        };
        let columns = Columns {
            texts: names(&self.text_column_name),
            text_pair: self.text_pair_column_name.clone(),
            labels,
        };
        Ok(ReadOptions {
            columns,
            text_column_delimiter: self.text_column_delimiter.clone(),
            problem_type: trained.or(self.problem_type.map(problem_type::of_model)),
            label_separator: self.label_separator.clone(),
            label_map: self.label_map.as_deref().map(label_map).transpose()?,
            drop_unlabelled: self.drop_unlabelled,
            csv_quoting: self.csv_quoting.parse().map_err(CliError::usage)?,
            csv_separator: self.csv_separator.as_deref().map(separator).transpose()?,
            tsv_drop_uneven_rows: self.task_name.is_some(),
            csv_encoding: self
                .csv_encoding
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(CliError::usage)?,
            csv_column_names: Some(self.csv_column_names.clone()).filter(|names| !names.is_empty()),
            json_field: self.json_field.clone(),
            dataset_config_name: self.dataset_config_name.clone(),
        })
    }

    /// Returns the evaluation file.
    pub(crate) fn eval_file(&self) -> Option<&String> {
        self.validation_file.as_ref().or(self.test_file.as_ref())
    }
}

/// Parses a label map, or reads its file.
fn label_map(text: &str) -> Result<LabelMap, CliError> {
    let map = if Path::new(text).is_file() { LabelMap::from_file(Path::new(text)) } else { text.parse() };
    map.map_err(|error| CliError::usage(format!("--label_map: {error}")))
}

/// Parses a separator: one ASCII character, `tab` or `\t`.
fn separator(text: &str) -> Result<u8, CliError> {
    match (text, text.as_bytes()) {
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) if byte.is_ascii() && *byte != b'"' && *byte != b'\n' => Ok(*byte),
        _ => {
            Err(CliError::usage(format!("csv_separator is {text:?}; it must be one ASCII character, or tab")))
        }
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
