//! DistilBERT's shape: what Hugging Face keeps in config.json, under names that differ from BERT's.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ModelError;
use crate::config_check::Checks;
use crate::config_file::{self, CONFIG, ConfigFile};
use crate::config_labels::{ConfigLabels, LabelFault};
use crate::encoder_config::EncoderConfig;

/// ε of every LayerNorm, which config.json has no key for.
const LAYER_NORM_EPS: f64 = 1e-12;

/// The keys of a DistilBERT classifier's config.json that have a meaning here, under their names there; others are
/// ignored. What a file leaves out has the value that `transformers` gives it.
///
/// Two are only kept for the next reader: `qa_dropout` belongs to another head, and `sinusoidal_pos_embds` says what
/// position embeddings were before pretraining, which the weights know better.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of transformers' DistilBertConfig, documented there")]
pub struct DistilBertConfig {
    #[serde(skip_deserializing)]
    pub architectures: Option<Vec<String>>,
    pub model_type: String,
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
    pub sinusoidal_pos_embds: bool,
    pub n_layers: usize,
    pub n_heads: usize,
    pub dim: usize,
    pub hidden_dim: usize,
    pub dropout: f64,
    pub attention_dropout: f64,
    pub activation: String,
    pub initializer_range: f64,
    pub qa_dropout: f64,
    pub seq_classif_dropout: f64,
    pub pad_token_id: Option<u32>,
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

impl Default for DistilBertConfig {
    /// distilbert-base-uncased with two labels.
    fn default() -> Self {
        let mut config = Self {
            architectures: None,
            model_type: "distilbert".into(),
            vocab_size: 30522,
            max_position_embeddings: 512,
            sinusoidal_pos_embds: false,
            n_layers: 6,
            n_heads: 12,
            dim: 768,
            hidden_dim: 3072,
            dropout: 0.1,
            attention_dropout: 0.1,
            activation: "gelu".into(),
            initializer_range: 0.02,
            qa_dropout: 0.1,
            seq_classif_dropout: 0.2,
            pad_token_id: Some(0),
            problem_type: None,
            id2label: BTreeMap::new(),
            label2id: BTreeMap::new(),
            label_fault: None,
        };
        config.set_labels(["LABEL_0", "LABEL_1"]);
        config
    }
}

impl DistilBertConfig {
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

    /// Gives the labels names, by id.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        (self.id2label, self.label2id) = config_file::label_maps(names);
        self.label_fault = None;
    }

    /// What the embeddings and the layers are built from. Nothing is dropped after attention's projection.
    pub(crate) fn encoder(&self) -> EncoderConfig {
        EncoderConfig {
            vocab_size: self.vocab_size,
            max_position_embeddings: self.max_position_embeddings,
            type_vocab_size: None,
            hidden_size: self.dim,
            num_hidden_layers: self.n_layers,
            num_attention_heads: self.n_heads,
            intermediate_size: self.hidden_dim,
            layer_norm_eps: LAYER_NORM_EPS,
            embeddings_dropout: self.dropout,
            attention_probs_dropout: self.attention_dropout,
            attention_output_dropout: 0.0,
            output_dropout: self.dropout,
        }
    }

    fn check(&self, path: &Path) -> Result<(), ModelError> {
        Checks {
            supported: &[
                ("model_type", &self.model_type, "distilbert"),
                ("activation", &self.activation, "gelu"),
            ],
            sizes: &[
                ("vocab_size", self.vocab_size),
                ("n_layers", self.n_layers),
                ("hidden_dim", self.hidden_dim),
                ("max_position_embeddings", self.max_position_embeddings),
            ],
            hidden_size: ("dim", self.dim),
            num_heads: ("n_heads", self.n_heads),
            rates: &[
                ("dropout", self.dropout),
                ("attention_dropout", self.attention_dropout),
                ("seq_classif_dropout", self.seq_classif_dropout),
            ],
            positive: &[("initializer_range", self.initializer_range)],
        }
        .run(path)
    }
}
