//! config.json of a model: family, settings and labels.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ModelError;
use crate::architectures::config_keys::ConfigKeys;
use crate::architectures::{ARCHITECTURES, Architecture, BERT};
use crate::config_file::{CONFIG, ConfigFile};
use crate::config_labels::{ConfigLabels, LabelError, PROBLEM_TYPE};
use crate::encoder_config::EncoderConfig;

/// Configuration of a model of any supported family.
///
/// The counterpart of `AutoConfig` in transformers.
///
/// ```
/// use embert_model::{AutoConfig, BERT, EncoderConfig};
///
/// let small = EncoderConfig { num_hidden_layers: 2, hidden_size: 64, num_attention_heads: 4, ..EncoderConfig::default() };
/// let mut config = AutoConfig::new(&BERT, small);
/// config.set_labels(["negative", "positive"]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct AutoConfig {
    /// The family.
    pub architecture: &'static Architecture,
    /// The settings of the encoder and the head.
    pub encoder: EncoderConfig,
    /// Keys that have no effect here. They are written back unchanged.
    preserved: Map<String, Value>,
    /// The class names in `architectures` of the file.
    classes: Vec<String>,
    label_names: Vec<String>,
    /// Why the labels of the file do not describe single-label classification.
    label_error: Option<LabelError>,
}

impl AutoConfig {
    /// Returns a config with two labels, `LABEL_0` and `LABEL_1`.
    pub fn new(architecture: &'static Architecture, encoder: EncoderConfig) -> Self {
        let label_names = ["LABEL_0", "LABEL_1"].map(String::from).into();
        Self { architecture, encoder, preserved: Map::new(), classes: vec![], label_names, label_error: None }
    }

    /// Reads `config.json` of a checkpoint directory.
    ///
    /// `model_type` selects the family. Without it, `architectures` does; without both, the family is BERT.
    /// Keys that the family does not know are ignored.
    ///
    /// All labels are accepted, because training replaces them.
    /// [`require_single_label`](Self::require_single_label) checks them.
    ///
    /// # Errors
    /// [`ModelError::File`] and [`ModelError::Json`] if the file is missing or not a JSON object;
    /// [`ModelError::Unsupported`] and [`ModelError::Config`] if this library cannot run the model.
    pub fn from_dir(directory: &Path) -> Result<Self, ModelError> {
        Self::from_file(&directory.join(CONFIG))
    }

    /// Reads a config from a file with any name. See [`from_dir`](Self::from_dir).
    ///
    /// # Errors
    /// The errors of [`from_dir`](Self::from_dir).
    pub fn from_file(path: &Path) -> Result<Self, ModelError> {
        let file = ConfigFile::read(path)?;
        let architecture = architecture(&file)?;
        let mut encoder = (architecture.default_config)();
        let mut keys = ConfigKeys::new(path, &file.keys);
        keys.require("model_type", architecture.model_type.to_string())?;
        (architecture.keys)(&mut encoder, &mut keys)?;
        let ConfigLabels { names: label_names, error: label_error } = file.labels();
        let (preserved, classes) = (keys.into_preserved(), file.architectures());
        Ok(Self { architecture, encoder, preserved, classes, label_names, label_error })
    }

    /// Returns the number of labels.
    pub fn num_labels(&self) -> usize {
        self.label_names.len()
    }

    /// Returns the names of the labels, by id.
    pub fn label_names(&self) -> Vec<String> {
        self.label_names.clone()
    }

    /// Sets the names of the labels, by id.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        self.label_names = names.into_iter().map(Into::into).collect();
        self.label_error = None;
    }

    /// Checks that the labels and `problem_type` of the file describe single-label classification.
    ///
    /// Evaluation and prediction need this check. Training with new labels does not.
    ///
    /// # Errors
    /// [`ModelError::Config`] for regression, multi-label classification or fewer than two labels, and if
    /// `id2label` has gaps, duplicate names or values that are not names.
    pub fn require_single_label(&self) -> Result<(), ModelError> {
        self.label_error.clone().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Returns true if `classifier` in the checkpoint can be the head of a sequence classifier.
    /// This is the case unless `architectures` names only other classes.
    pub(crate) fn may_have_sequence_head(&self) -> bool {
        self.classes.is_empty() || self.classes.iter().any(|name| name.ends_with("ForSequenceClassification"))
    }

    /// Writes `config.json` of a sequence classifier, in the format of transformers.
    ///
    /// # Errors
    /// [`ModelError::File`] if the file cannot be written; [`ModelError::Config`] if a setting is invalid.
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        self.save_as(directory, CONFIG)
    }

    /// Writes the same content to a file with another name.
    ///
    /// # Errors
    /// The errors of [`save`](Self::save).
    pub fn save_as(&self, directory: &Path, file_name: &str) -> Result<(), ModelError> {
        let path = directory.join(file_name);
        let mut keys = ConfigKeys::new(&path, &self.preserved);
        keys.require("model_type", self.architecture.model_type.to_string())?;
        (self.architecture.keys)(&mut self.encoder.clone(), &mut keys)?;
        let labels = self.label_names.iter().map(String::as_str).enumerate();
        let saved = ConfigJson {
            architectures: [self.architecture.classifier_class],
            keys: keys.into_values(),
            problem_type: PROBLEM_TYPE,
            id2label: labels.clone().collect(),
            label2id: labels.map(|(id, name)| (name, id)).collect(),
        };
        let text = serde_json::to_string_pretty(&saved).expect("a config is JSON") + "\n";
        fs::write(&path, text).map_err(|source| ModelError::File { path, source })
    }
}

/// The content of config.json, in the order in which it is written.
#[derive(Serialize)]
struct ConfigJson<'a> {
    architectures: [&'a str; 1],
    #[serde(flatten)]
    keys: IndexMap<&'static str, Value>,
    problem_type: &'a str,
    id2label: BTreeMap<usize, &'a str>,
    label2id: BTreeMap<&'a str, usize>,
}

/// Returns the family of a config.json.
fn architecture(file: &ConfigFile) -> Result<&'static Architecture, ModelError> {
    let (key, found, architecture) =
        match (file.first_string("model_type"), file.first_string("architectures")) {
            (Some(model_type), _) => ("model_type", model_type, Architecture::of_model_type(model_type)),
            (None, Some(class)) => ("architectures", class, Architecture::of_class(class)),
            (None, None) => return Ok(&BERT),
        };
    architecture.ok_or_else(|| {
        let supported = ARCHITECTURES.map(|architecture| architecture.model_type).join(" or ");
        ModelError::Unsupported { path: file.path.clone(), key, found: found.into(), supported }
    })
}
