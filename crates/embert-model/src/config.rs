//! A model's shape: what Hugging Face keeps in config.json.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The keys of a BERT classifier's config.json that have a meaning here, under their names there; others are
/// ignored. What a file leaves out has the value that `transformers` gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of transformers' BertConfig, documented there")]
pub struct BertConfig {
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
    pub problem_type: Option<String>,
    pub id2label: BTreeMap<usize, String>,
    pub label2id: BTreeMap<String, usize>,
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
        let path = directory.join("config.json");
        let text =
            fs::read_to_string(&path).map_err(|source| ModelError::File { path: path.clone(), source })?;
        let json: serde_json::Value = parse(&text, &path)?;
        let mut config: Self = parse(&text, &path)?;
        if let (Some(count), None) = (json.get("num_labels").and_then(|n| n.as_u64()), json.get("id2label")) {
            config.set_labels((0..count).map(|id| format!("LABEL_{id}")));
        }
        config.check(&path)?;
        Ok(config)
    }

    /// Writes `config.json` as `transformers` reads it.
    ///
    /// # Errors
    /// [`ModelError::File`] when the file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        let path = directory.join("config.json");
        let text = serde_json::to_string_pretty(self).expect("a config is JSON") + "\n";
        fs::write(&path, text).map_err(|source| ModelError::File { path, source })
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
        self.id2label = names.into_iter().map(Into::into).enumerate().collect();
        self.label2id = self.id2label.iter().map(|(&id, name)| (name.clone(), id)).collect();
    }

    fn check(&self, path: &Path) -> Result<(), ModelError> {
        self.check_supported(path)?;
        self.check_sizes().map_err(|reason| ModelError::Config { path: path.into(), reason })
    }

    fn check_supported(&self, path: &Path) -> Result<(), ModelError> {
        let problem_type = self.problem_type.as_deref().unwrap_or("single_label_classification");
        let wanted = [
            ("model_type", self.model_type.as_str(), "bert"),
            ("hidden_act", &self.hidden_act, "gelu"),
            ("position_embedding_type", &self.position_embedding_type, "absolute"),
            ("problem_type", problem_type, "single_label_classification"),
            ("is_decoder", if self.is_decoder { "true" } else { "false" }, "false"),
            ("add_cross_attention", if self.add_cross_attention { "true" } else { "false" }, "false"),
        ];
        match wanted.into_iter().find(|(_, found, supported)| found != supported) {
            None => Ok(()),
            Some((key, found, supported)) => {
                Err(ModelError::Unsupported { path: path.into(), key, found: found.into(), supported })
            }
        }
    }

    fn check_sizes(&self) -> Result<(), String> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", self.num_attention_heads),
            ("intermediate_size", self.intermediate_size),
            ("max_position_embeddings", self.max_position_embeddings),
            ("type_vocab_size", self.type_vocab_size),
        ];
        if let Some((key, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("{key} is 0"));
        }
        let (hidden_size, num_heads) = (self.hidden_size, self.num_attention_heads);
        if hidden_size % num_heads != 0 {
            return Err(format!(
                "hidden_size {hidden_size} is not a multiple of num_attention_heads {num_heads}"
            ));
        }
        let rates = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
            ("classifier_dropout", self.classifier_dropout.unwrap_or(0.0)),
        ];
        if let Some((key, rate)) = rates.iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            return Err(format!("{key} is {rate}, and must lie in 0..1"));
        }
        if !self.id2label.keys().copied().eq(0..self.num_labels()) || self.num_labels() < 2 {
            return Err("id2label must name the ids 0, 1, ... of at least two labels".into());
        }
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T, ModelError> {
    serde_json::from_str(text).map_err(|source| ModelError::Json { path: path.into(), source })
}
