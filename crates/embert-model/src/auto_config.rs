//! config.json of a model: family, settings and labels.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ModelError;
use crate::architectures::config_keys::ConfigKeys;
use crate::architectures::{Architecture, BERT};
use crate::config_file::{CONFIG, ConfigFile};
use crate::config_labels::{ConfigLabels, LabelError, check_thresholds};
use crate::encoder_config::EncoderConfig;
use crate::problem_type::ProblemType;

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
    /// `None` without the key: the number of labels decides.
    problem_type: Option<ProblemType>,
    /// The decision threshold of each label of a multi-label model.
    thresholds: Option<Vec<f32>>,
    /// Why the labels of the file do not describe a task.
    label_error: Option<LabelError>,
}

impl AutoConfig {
    /// Returns a config with two labels, `LABEL_0` and `LABEL_1`.
    pub fn new(architecture: &'static Architecture, encoder: EncoderConfig) -> Self {
        let label_names = ["LABEL_0", "LABEL_1"].map(String::from).into();
        Self {
            architecture,
            encoder,
            preserved: Map::new(),
            classes: vec![],
            label_names,
            problem_type: None,
            thresholds: None,
            label_error: None,
        }
    }

    /// Reads `config.json` of a checkpoint directory.
    ///
    /// `model_type` selects the family. Without it, `architectures` does; without both, the family is BERT.
    /// Keys that the family does not know are ignored.
    ///
    /// All labels are accepted, because training replaces them.
    /// [`check_labels`](Self::check_labels) checks them.
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
        Self::of(&ConfigFile::read(path)?)
    }

    /// Reads the keys and values of a `config.json`, the name in errors. See [`from_dir`](Self::from_dir).
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] and [`ModelError::Config`] if this library cannot run the model.
    pub fn from_dict(keys: Map<String, Value>) -> Result<Self, ModelError> {
        Self::of(&ConfigFile { path: CONFIG.into(), keys })
    }

    fn of(file: &ConfigFile) -> Result<Self, ModelError> {
        let architecture = architecture(file)?;
        let mut encoder = (architecture.default_config)();
        let mut keys = ConfigKeys::new(&file.path, &file.keys);
        keys.require("model_type", architecture.model_type.to_string())?;
        (architecture.keys)(&mut encoder, &mut keys)?;
        let ConfigLabels { names: label_names, problem_type, thresholds, error: label_error } = file.labels();
        let (preserved, classes) = (keys.into_preserved(), file.architectures());
        Ok(Self {
            architecture,
            encoder,
            preserved,
            classes,
            label_names,
            problem_type,
            thresholds,
            label_error,
        })
    }

    /// Returns the number of labels.
    pub fn num_labels(&self) -> usize {
        self.label_names.len()
    }

    /// Returns the names of the labels, by id.
    pub fn label_names(&self) -> Vec<String> {
        self.label_names.clone()
    }

    /// Sets the names of the labels, by id. Removes the thresholds, which belong to the labels of before.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        self.label_names = names.into_iter().map(Into::into).collect();
        self.thresholds = None;
        self.label_error = None;
    }

    /// Returns the task. Without `problem_type` in the file, one label is regression and more are single-label
    /// classification, as in transformers.
    pub fn problem_type(&self) -> ProblemType {
        self.problem_type.unwrap_or_else(|| ProblemType::of_num_labels(self.num_labels()))
    }

    /// Sets the task. Removes the thresholds if it is not multi-label classification.
    pub fn set_problem_type(&mut self, problem_type: ProblemType) {
        self.problem_type = Some(problem_type);
        if problem_type != ProblemType::MultiLabelClassification {
            self.thresholds = None;
        }
    }

    /// Returns the decision threshold of each label, by id: a label is predicted if its probability is at least its
    /// threshold. `None` means 0.5 for all labels. Only multi-label models have thresholds.
    pub fn thresholds(&self) -> Option<&[f32]> {
        self.thresholds.as_deref()
    }

    /// Sets the decision threshold of each label, by id. `None` removes them.
    ///
    /// # Errors
    /// [`ModelError::Thresholds`] if the model is not a multi-label classifier, the number of thresholds is not the
    /// number of labels, or a threshold is not between 0 and 1.
    pub fn set_thresholds(&mut self, thresholds: Option<Vec<f32>>) -> Result<(), ModelError> {
        if let Some(thresholds) = &thresholds {
            check_thresholds(thresholds, self.problem_type(), self.num_labels())
                .map_err(|reason| ModelError::Thresholds { reason })?;
        }
        self.thresholds = thresholds;
        Ok(())
    }

    /// Checks that the labels and the thresholds of the file fit its problem type.
    ///
    /// Evaluation and prediction need this check. Training with new labels does not.
    ///
    /// # Errors
    /// [`ModelError::Config`] for an unknown `problem_type`, no labels, and single-label classification with one label;
    /// if `id2label` has gaps, duplicate names or values that are not names; and for invalid `thresholds`.
    pub fn check_labels(&self) -> Result<(), ModelError> {
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
            problem_type: self.problem_type(),
            thresholds: self.thresholds(),
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
    problem_type: ProblemType,
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<&'a [f32]>,
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
        let supported = Architecture::model_types();
        ModelError::Unsupported { path: file.path.clone(), key, found: found.into(), supported }
    })
}
