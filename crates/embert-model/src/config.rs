//! BERT's shape: what Hugging Face keeps in config.json.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::config_check::Checks;
use crate::config_file::{self, CONFIG, ConfigFile};
use crate::config_labels::{ConfigLabels, LabelFault};
use crate::encoder_config::EncoderConfig;

/// The keys of a BERT classifier's config.json that have a meaning here, under their names there; others are
/// ignored. What a file leaves out has the value that `transformers` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of transformers' BertConfig, documented there")]
pub struct BertConfig {
    #[serde(skip_deserializing)]
    pub architectures: Option<Vec<String>>,
    pub model_type: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub hidden_act: String,
    pub hidden_dropout_prob: f64,
    pub attention_probs_dropout_prob: f64,
    pub classifier_dropout: Option<f64>,
    pub max_position_embeddings: usize,
    pub type_vocab_size: usize,
    pub position_embedding_type: String,
    pub initializer_range: f64,
    pub layer_norm_eps: f64,
    pub pad_token_id: Option<u32>,
    pub is_decoder: bool,
    pub add_cross_attention: bool,
    #[serde(skip_deserializing)]
    pub problem_type: Option<String>,
    #[serde(skip_deserializing)]
    pub id2label: BTreeMap<usize, String>,
    #[serde(skip_deserializing)]
    pub label2id: BTreeMap<String, usize>,
    /// Why the file's labels cannot be used without training; `None` after `set_labels`.
    #[serde(skip)]
    pub label_fault: Option<LabelFault>,
}

impl Default for BertConfig {
    /// bert-base-uncased with two labels.
    fn default() -> Self {
        let mut config = Self {
            architectures: None,
            model_type: "bert".into(),
            vocab_size: 30522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".into(),
            hidden_dropout_prob: 0.1,
            attention_probs_dropout_prob: 0.1,
            classifier_dropout: None,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            position_embedding_type: "absolute".into(),
            initializer_range: 0.02,
            layer_norm_eps: 1e-12,
            pad_token_id: Some(0),
            is_decoder: false,
            add_cross_attention: false,
            problem_type: None,
            id2label: BTreeMap::new(),
            label2id: BTreeMap::new(),
            label_fault: None,
        };
        config.set_labels(["LABEL_0", "LABEL_1"]);
        config
    }
}

impl BertConfig {
    /// Reads `config.json` of a checkpoint.
    ///
    /// # Errors
    /// [`ModelError::File`] and [`ModelError::Json`] for a file that is not there or not JSON;
    /// [`ModelError::Unsupported`] and [`ModelError::Config`] for a model that this library cannot run.
    pub fn from_dir(directory: &Path) -> Result<Self, ModelError> {
        Self::from_file(&ConfigFile::read(&directory.join(CONFIG))?)
    }

    pub(crate) fn from_file(file: &ConfigFile) -> Result<Self, ModelError> {
        let mut config: Self = file.parse()?;
        let ConfigLabels { names, problem_type, fault } = file.labels();
        config.set_labels(names);
        (config.architectures, config.problem_type, config.label_fault) =
            (file.architectures(), problem_type, fault);
        config.check(&file.path)?;
        Ok(config)
    }

    /// Writes `config.json` as `transformers` reads it.
    ///
    /// # Errors
    /// [`ModelError::File`] when the file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        config_file::write(self, &directory.join(CONFIG))
    }

    /// The number of labels.
    pub fn num_labels(&self) -> usize {
        self.id2label.len()
    }

    /// The labels' names by id.
    pub fn label_names(&self) -> Vec<String> {
        self.id2label.values().cloned().collect()
    }

    /// Gives the labels names, by id.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        (self.id2label, self.label2id) = config_file::label_maps(names);
        self.label_fault = None;
    }

    /// What the embeddings and the layers are built from.
    pub(crate) fn encoder(&self) -> EncoderConfig {
        EncoderConfig {
            vocab_size: self.vocab_size,
            max_position_embeddings: self.max_position_embeddings,
            type_vocab_size: Some(self.type_vocab_size),
            hidden_size: self.hidden_size,
            num_hidden_layers: self.num_hidden_layers,
            num_attention_heads: self.num_attention_heads,
            intermediate_size: self.intermediate_size,
            layer_norm_eps: self.layer_norm_eps,
            embeddings_dropout: self.hidden_dropout_prob,
            attention_probs_dropout: self.attention_probs_dropout_prob,
            attention_output_dropout: self.hidden_dropout_prob,
            output_dropout: self.hidden_dropout_prob,
        }
    }

    fn check(&self, path: &Path) -> Result<(), ModelError> {
        let text = |flag| if flag { "true" } else { "false" };
        Checks {
            supported: &[
                ("model_type", &self.model_type, "bert"),
                ("hidden_act", &self.hidden_act, "gelu"),
                ("position_embedding_type", &self.position_embedding_type, "absolute"),
                ("is_decoder", text(self.is_decoder), "false"),
                ("add_cross_attention", text(self.add_cross_attention), "false"),
            ],
            sizes: &[
                ("vocab_size", self.vocab_size),
                ("num_hidden_layers", self.num_hidden_layers),
                ("intermediate_size", self.intermediate_size),
                ("max_position_embeddings", self.max_position_embeddings),
                ("type_vocab_size", self.type_vocab_size),
            ],
            hidden_size: ("hidden_size", self.hidden_size),
            num_heads: ("num_attention_heads", self.num_attention_heads),
            rates: &[
                ("hidden_dropout_prob", self.hidden_dropout_prob),
                ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
                ("classifier_dropout", self.classifier_dropout.unwrap_or(0.0)),
            ],
            positive: &[
                ("layer_norm_eps", self.layer_norm_eps),
                ("initializer_range", self.initializer_range),
            ],
        }
        .run(path)
    }
}
