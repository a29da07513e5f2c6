//! A recipe: everything that a run is told, in the sections of a TOML file.

use embert_data::{Columns, CsvQuoting, ReadOptions};
use embert_model::{AutoConfig, BertConfig, DistilBertConfig, LoraConfig};
use embert_text::Truncation;
use embert_train::{IntervalStrategy, TrainConfig};
use serde::{Deserialize, Serialize};

use crate::error::CliError;

/// The resolved recipe of a run. Each section's `Default` is the only place of its defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Recipe {
    pub(crate) model: ModelSection,
    pub(crate) data: DataSection,
    pub(crate) train: TrainConfig,
    pub(crate) output: OutputSection,
    /// A new adapter is trained instead of the whole model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lora: Option<LoraConfig>,
}

/// Where the model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ModelSection {
    /// A directory or an id of the hub; with `scratch`, nothing is read from it.
    pub(crate) model_name_or_path: String,
    /// A directory with an adapter of this model, to go on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adapter: Option<String>,
    /// A new head is trained if the labels of the data are not among those of a fine-tuned model.
    pub(crate) ignore_mismatched_sizes: bool,
    /// Rates that replace those of config.json.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hidden_dropout_prob: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attention_probs_dropout_prob: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) classifier_dropout: Option<f64>,
    /// The shape of a model with random weights, whose vocabulary is trained on the training texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scratch: Option<ScratchSection>,
}

/// The shape of a model that is not pretrained, in BERT's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScratchSection {
    #[serde(default)]
    pub(crate) model_type: ModelType,
    /// The most tokens that the vocabulary may have.
    pub(crate) vocab_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_hidden_layers: usize,
    pub(crate) num_attention_heads: usize,
    pub(crate) intermediate_size: usize,
    pub(crate) max_position_embeddings: usize,
}

/// What is made where nothing is pretrained.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelType {
    #[default]
    Bert,
    DistilBert,
}

/// What is learnt from, and how texts become tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DataSection {
    /// `imdb`, `synthetic`, an id of the hub, a directory or a file.
    pub(crate) dataset_name: String,
    /// A file, instead of the data set's training split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) train_file: Option<String>,
    /// A file to evaluate on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation_file: Option<String>,
    /// A file to evaluate on, where there is no validation file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) test_file: Option<String>,
    pub(crate) train_split_name: String,
    pub(crate) test_split_name: String,
    /// The share that is held out to evaluate on where there is nothing else to, stratified.
    pub(crate) validation_share: f64,
    pub(crate) text_column_name: String,
    pub(crate) label_column_name: String,
    /// `minimal` or `none`.
    pub(crate) csv_quoting: String,
    pub(crate) drop_unlabelled: bool,
    /// The label that F1, precision and recall are about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pos_label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_train_samples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_eval_samples: Option<usize>,
    /// Of `shuffle(seed).select(range(n))` and of the held-out share.
    pub(crate) shuffle_seed: u64,
    /// How many reviews `synthetic` writes.
    pub(crate) synthetic_reviews: usize,
    /// HTML tags and entities, white space, control characters.
    pub(crate) clean: bool,
    pub(crate) max_seq_length: usize,
    /// `right`, `left` or `head+tail(h,t)`.
    pub(crate) truncation_side: String,
}

/// What is left on disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutputSection {
    pub(crate) output_dir: String,
    pub(crate) overwrite_output_dir: bool,
    pub(crate) on_save_error: OnSaveError,
    /// One evaluation when training ends, also under `eval_strategy = "no"`.
    pub(crate) do_eval: bool,
}

/// What happens when a checkpoint or a line of the log cannot be written, on a full disk say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnSaveError {
    /// A warning; the next checkpoint is tried again.
    #[default]
    Continue,
    /// The run ends.
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
            text_column_name: columns.text,
            label_column_name: columns.label,
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
    /// Returns true if the run evaluates, while it trains or at its end.
    pub(crate) fn evaluates(&self) -> bool {
        self.train.eval_strategy != IntervalStrategy::No || self.output.do_eval
    }
}

impl DataSection {
    /// How files are read.
    pub(crate) fn read_options(&self) -> Result<ReadOptions, CliError> {
        let columns = Columns { text: self.text_column_name.clone(), label: self.label_column_name.clone() };
        let csv_quoting = self.csv_quoting.parse().map_err(CliError::usage)?;
        Ok(ReadOptions { columns, csv_quoting, drop_unlabelled: self.drop_unlabelled })
    }

    /// The file to evaluate on, if one is named.
    pub(crate) fn eval_file(&self) -> Option<&String> {
        self.validation_file.as_ref().or(self.test_file.as_ref())
    }
}

impl ModelSection {
    /// What is trained further, as the user named it.
    pub(crate) fn name(&self) -> &str {
        self.adapter.as_ref().unwrap_or(&self.model_name_or_path)
    }

    /// config.json with the recipe's rates.
    pub(crate) fn with_dropout(&self, config: AutoConfig) -> AutoConfig {
        let (hidden, attention) = (self.hidden_dropout_prob, self.attention_probs_dropout_prob);
        match config {
            AutoConfig::Bert(config) => AutoConfig::Bert(BertConfig {
                hidden_dropout_prob: hidden.unwrap_or(config.hidden_dropout_prob),
                attention_probs_dropout_prob: attention.unwrap_or(config.attention_probs_dropout_prob),
                classifier_dropout: self.classifier_dropout.or(config.classifier_dropout),
                ..config
            }),
            AutoConfig::DistilBert(config) => AutoConfig::DistilBert(DistilBertConfig {
                dropout: hidden.unwrap_or(config.dropout),
                attention_dropout: attention.unwrap_or(config.attention_dropout),
                seq_classif_dropout: self.classifier_dropout.unwrap_or(config.seq_classif_dropout),
                ..config
            }),
        }
    }
}

impl ScratchSection {
    /// The config of the model, once the vocabulary is there.
    pub(crate) fn config(&self, vocab_size: usize) -> AutoConfig {
        match self.model_type {
            ModelType::Bert => self.bert(vocab_size).into(),
            ModelType::DistilBert => self.distilbert(vocab_size).into(),
        }
    }

    fn bert(&self, vocab_size: usize) -> BertConfig {
        let bert_base = BertConfig::default();
        BertConfig {
            vocab_size,
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            initializer_range: self.initializer_range(bert_base.initializer_range, bert_base.hidden_size),
            ..bert_base
        }
    }

    fn distilbert(&self, vocab_size: usize) -> DistilBertConfig {
        let base = DistilBertConfig::default();
        DistilBertConfig {
            vocab_size,
            dim: self.hidden_size,
            n_layers: self.num_hidden_layers,
            n_heads: self.num_attention_heads,
            hidden_dim: self.intermediate_size,
            max_position_embeddings: self.max_position_embeddings,
            initializer_range: self.initializer_range(base.initializer_range, base.dim),
            ..base
        }
    }

    /// As wide as it takes for sums over fewer columns to spread as the base model's do.
    fn initializer_range(&self, base: f64, base_hidden_size: usize) -> f64 {
        base * (base_hidden_size as f64 / self.hidden_size as f64).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    /// A recipe whose optional keys all have a value, so that each appears in the TOML.
    fn full() -> Recipe {
        let mut recipe = Recipe::default();
        let scratch = "vocab_size = 1\nhidden_size = 1\nnum_hidden_layers = 1\nnum_attention_heads = 1\n\
                       intermediate_size = 1\nmax_position_embeddings = 1";
        recipe.model.scratch = Some(toml::from_str(scratch).unwrap());
        recipe.model.adapter = Some(String::new());
        recipe.model.hidden_dropout_prob = Some(0.0);
        recipe.model.attention_probs_dropout_prob = Some(0.0);
        recipe.model.classifier_dropout = Some(0.0);
        let file = Some(String::new());
        (recipe.data.train_file, recipe.data.validation_file, recipe.data.test_file) =
            (file.clone(), file.clone(), file);
        recipe.data.pos_label = Some(String::new());
        (recipe.data.max_train_samples, recipe.data.max_eval_samples) = (Some(1), Some(1));
        (recipe.train.max_steps, recipe.train.eval_steps) = (Some(1), Some(1));
        (recipe.train.save_total_limit, recipe.train.early_stopping_patience) = (Some(1), Some(1));
        recipe.train.metric_for_best_model = Some(embert_train::BestModelMetric::F1);
        recipe.train.greater_is_better = Some(true);
        let lora = "target_modules = []\nexclude_modules = []\nmodules_to_save = []\nlayers_to_transform = 1\n\
                    layers_pattern = 'layer'\nrank_pattern.query = 1\nalpha_pattern.query = 1";
        recipe.lora = Some(toml::from_str(lora).unwrap());
        recipe
    }

    #[test]
    fn every_recipe_key_has_a_flag_and_every_flag_a_key() {
        let toml = toml::Table::try_from(full()).unwrap();
        let mut paths = vec![];
        crate::recipe_files::leaves(&toml, "", &mut paths);
        let mut flags = keys::all().map(|key| key.path).collect::<Vec<_>>();
        paths.sort();
        flags.sort();
        flags.dedup();
        assert_eq!(paths, flags);
    }
}
