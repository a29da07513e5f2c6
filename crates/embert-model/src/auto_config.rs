//! config.json of a classifier: its family, its settings, its labels.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ModelError;
use crate::architectures::keys::Keys;
use crate::architectures::{ARCHITECTURES, Architecture, BERT};
use crate::config_file::{CONFIG, ConfigFile};
use crate::config_labels::{ConfigLabels, LabelFault, PROBLEM_TYPE};
use crate::encoder_config::EncoderConfig;

/// The config of a model of any supported family.
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
    /// The settings of encoder and head.
    pub encoder: EncoderConfig,
    /// Keys without a meaning here, which are written as they were read.
    kept: Map<String, Value>,
    /// The classes in `architectures` of the file.
    classes: Vec<String>,
    label_names: Vec<String>,
    /// Why the file's labels cannot be used without training.
    label_fault: Option<LabelFault>,
}

impl AutoConfig {
    /// A config of this family with two labels, `LABEL_0` and `LABEL_1`.
    pub fn new(architecture: &'static Architecture, encoder: EncoderConfig) -> Self {
        let label_names = ["LABEL_0", "LABEL_1"].map(String::from).into();
        Self { architecture, encoder, kept: Map::new(), classes: vec![], label_names, label_fault: None }
    }

    /// Reads `config.json` of a checkpoint. Its `model_type` names the family, or `architectures` if that is missing. A
    /// file with neither is BERT's. Keys that the family does not know are ignored.
    ///
    /// Any labels are read, because training replaces them; see
    /// [`require_single_label`](Self::require_single_label).
    ///
    /// # Errors
    /// [`ModelError::File`] and [`ModelError::Json`] for a file that is missing or not a JSON object;
    /// [`ModelError::Unsupported`] and [`ModelError::Config`] for a model that this library cannot run.
    pub fn from_dir(directory: &Path) -> Result<Self, ModelError> {
        Self::from_file(&directory.join(CONFIG))
    }

    /// Reads a file of another name as [`from_dir`](Self::from_dir) reads `config.json`.
    ///
    /// # Errors
    /// Those of [`from_dir`](Self::from_dir).
    pub fn from_file(path: &Path) -> Result<Self, ModelError> {
        let file = ConfigFile::read(path)?;
        let architecture = architecture(&file)?;
        let mut encoder = (architecture.default_config)();
        let mut keys = Keys::new(path, &file.keys);
        keys.only("model_type", architecture.model_type.to_string())?;
        (architecture.keys)(&mut encoder, &mut keys)?;
        let ConfigLabels { names: label_names, fault: label_fault } = file.labels();
        let (kept, classes) = (keys.into_kept(), file.architectures());
        Ok(Self { architecture, encoder, kept, classes, label_names, label_fault })
    }

    /// The number of labels.
    pub fn num_labels(&self) -> usize {
        self.label_names.len()
    }

    /// The labels' names by id.
    pub fn label_names(&self) -> Vec<String> {
        self.label_names.clone()
    }

    /// Gives the labels names, by id.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        self.label_names = names.into_iter().map(Into::into).collect();
        self.label_fault = None;
    }

    /// Checks that the labels and `problem_type` of the file are those of single-label classification. Evaluation and
    /// prediction need this; training with new labels does not.
    ///
    /// # Errors
    /// [`ModelError::Config`] for a head of regression or of several labels at once, for one label alone, and for an
    /// `id2label` with gaps, repeated names or values of another kind.
    pub fn require_single_label(&self) -> Result<(), ModelError> {
        self.label_fault.clone().map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Returns true if `architectures` allows the checkpoint's `classifier` to be a sequence classifier's. A file without
    /// `architectures` allows it.
    pub(crate) fn may_have_sequence_head(&self) -> bool {
        self.classes.is_empty() || self.classes.iter().any(|name| name.ends_with("ForSequenceClassification"))
    }

    /// Writes `config.json` of a trained classifier, as `transformers` reads it.
    ///
    /// # Errors
    /// [`ModelError::File`] when the file cannot be written, [`ModelError::Config`] for settings that cannot be read
    /// again.
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        self.save_as(directory, CONFIG)
    }

    /// Writes the same under another name.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_as(&self, directory: &Path, file_name: &str) -> Result<(), ModelError> {
        let path = directory.join(file_name);
        let mut keys = Keys::new(&path, &self.kept);
        keys.only("model_type", self.architecture.model_type.to_string())?;
        (self.architecture.keys)(&mut self.encoder.clone(), &mut keys)?;
        let labels = self.label_names.iter().map(String::as_str).enumerate();
        let saved = Saved {
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

/// The keys of config.json, in the order in which they are written.
#[derive(Serialize)]
struct Saved<'a> {
    architectures: [&'a str; 1],
    #[serde(flatten)]
    keys: IndexMap<&'static str, Value>,
    problem_type: &'a str,
    id2label: BTreeMap<usize, &'a str>,
    label2id: BTreeMap<&'a str, usize>,
}

/// The family that a file names.
fn architecture(file: &ConfigFile) -> Result<&'static Architecture, ModelError> {
    let (key, found, architecture) = match (file.text_of("model_type"), file.text_of("architectures")) {
        (Some(model_type), _) => ("model_type", model_type, Architecture::of_model_type(model_type)),
        (None, Some(class)) => ("architectures", class, Architecture::of_class(class)),
        (None, None) => return Ok(&BERT),
    };
    architecture.ok_or_else(|| {
        let supported = ARCHITECTURES.map(|architecture| architecture.model_type).join(" or ");
        ModelError::Unsupported { path: file.path.clone(), key, found: found.into(), supported }
    })
}
