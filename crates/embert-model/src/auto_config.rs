//! The config of whichever supported model a directory holds.

use std::path::Path;

use crate::config_file::{self, CONFIG, ConfigFile};
use crate::encoder_config::EncoderConfig;
use crate::{BertConfig, DistilBertConfig, ModelError};

/// What `model_type` may be, in the words of an error.
const SUPPORTED: &str = "bert or distilbert";

/// The config of a model that [`AutoModelForSequenceClassification`](crate::AutoModelForSequenceClassification) can be.
#[derive(Debug, Clone, PartialEq)]
pub enum AutoConfig {
    /// BERT, and what has its shape: MiniLM for one.
    Bert(BertConfig),
    /// DistilBERT.
    DistilBert(DistilBertConfig),
}

impl AutoConfig {
    /// Reads `config.json` of a checkpoint: as the model that its `model_type` names, or where that is missing its
    /// `architectures`. A file with neither is BERT's.
    ///
    /// Any labels are read, because training replaces them; see
    /// [`require_single_label`](Self::require_single_label).
    ///
    /// # Errors
    /// [`ModelError::File`] and [`ModelError::Json`] for a file that is not there or not JSON;
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
        let named = |key| file.text_of(key).map(|value| (key, value));
        let (key, found) = named("model_type").or_else(|| named("architectures")).unwrap_or_default();
        match family(found) {
            "bert" | "Bert" | "" => BertConfig::from_file(&file).map(Self::Bert),
            "distilbert" | "DistilBert" => DistilBertConfig::from_file(&file).map(Self::DistilBert),
            _ => Err(ModelError::Unsupported {
                path: file.path.clone(),
                key,
                found: found.into(),
                supported: SUPPORTED,
            }),
        }
    }

    /// The classifier's class in `transformers`, as in `architectures`.
    pub fn architecture(&self) -> &'static str {
        match self {
            Self::Bert(_) => "BertForSequenceClassification",
            Self::DistilBert(_) => "DistilBertForSequenceClassification",
        }
    }

    /// The class of its tokenizer in `transformers`; DistilBERT's gives no token types.
    pub fn tokenizer_class(&self) -> &'static str {
        match self {
            Self::Bert(_) => "BertTokenizer",
            Self::DistilBert(_) => "DistilBertTokenizer",
        }
    }

    /// What the embeddings and the layers are built from.
    pub(crate) fn encoder(&self) -> EncoderConfig {
        match self {
            Self::Bert(config) => config.encoder(),
            Self::DistilBert(config) => config.encoder(),
        }
    }

    /// The number of ids that have an embedding.
    pub fn vocab_size(&self) -> usize {
        self.encoder().vocab_size
    }

    /// The most tokens of a sequence.
    pub fn max_position_embeddings(&self) -> usize {
        self.encoder().max_position_embeddings
    }

    /// The width of hidden states.
    pub fn hidden_size(&self) -> usize {
        self.encoder().hidden_size
    }

    /// The width between the two products of the feed-forward network.
    pub fn intermediate_size(&self) -> usize {
        self.encoder().intermediate_size
    }

    /// The layers of the encoder.
    pub fn num_hidden_layers(&self) -> usize {
        self.encoder().num_hidden_layers
    }

    /// The heads of a layer's attention.
    pub fn num_attention_heads(&self) -> usize {
        self.encoder().num_attention_heads
    }

    /// The standard deviation of new weights.
    pub(crate) fn initializer_range(&self) -> f64 {
        match self {
            Self::Bert(config) => config.initializer_range,
            Self::DistilBert(config) => config.initializer_range,
        }
    }

    /// The labels' names by id.
    pub fn label_names(&self) -> Vec<String> {
        let id2label = match self {
            Self::Bert(config) => &config.id2label,
            Self::DistilBert(config) => &config.id2label,
        };
        id2label.values().cloned().collect()
    }

    /// Gives the labels names, by id.
    pub fn set_labels<S: Into<String>>(&mut self, names: impl IntoIterator<Item = S>) {
        match self {
            Self::Bert(config) => config.set_labels(names),
            Self::DistilBert(config) => config.set_labels(names),
        }
    }

    /// Checks that the labels and `problem_type` of the file are those of single-label classification. Evaluation and
    /// prediction need this; training with new labels does not.
    ///
    /// # Errors
    /// [`ModelError::Config`] for a head of regression or of several labels at once, for one label alone, and for an
    /// `id2label` with gaps, repeated names or values of another kind.
    pub fn require_single_label(&self) -> Result<(), ModelError> {
        let fault = match self {
            Self::Bert(config) => &config.label_fault,
            Self::DistilBert(config) => &config.label_fault,
        };
        fault.clone().map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Whether `architectures` allows the checkpoint's `classifier` to be a sequence classifier's. A file without
    /// `architectures` allows it.
    pub(crate) fn may_have_sequence_head(&self) -> bool {
        let architectures = match self {
            Self::Bert(config) => &config.architectures,
            Self::DistilBert(config) => &config.architectures,
        };
        let names = architectures.as_deref().unwrap_or_default();
        names.is_empty() || names.iter().any(|name| name.ends_with("ForSequenceClassification"))
    }

    /// Writes `config.json` of a trained classifier, as `transformers` reads it.
    ///
    /// # Errors
    /// [`ModelError::File`] when the file cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), ModelError> {
        self.save_as(directory, CONFIG)
    }

    /// Writes the same under another name.
    ///
    /// # Errors
    /// [`ModelError::File`] when the file cannot be written.
    pub fn save_as(&self, directory: &Path, file_name: &str) -> Result<(), ModelError> {
        let path = directory.join(file_name);
        let architectures = Some(vec![self.architecture().to_string()]);
        let problem_type = Some("single_label_classification".to_string());
        match self.clone() {
            Self::Bert(config) => {
                config_file::write(&BertConfig { architectures, problem_type, ..config }, &path)
            }
            Self::DistilBert(config) => {
                config_file::write(&DistilBertConfig { architectures, problem_type, ..config }, &path)
            }
        }
    }
}

/// The model's name in a class such as `BertForSequenceClassification` or `BertModel`; a `model_type` as it is.
fn family(name: &str) -> &str {
    let ends = ["For", "LMHead", "PreTrained", "Model"];
    ends.iter().filter_map(|end| name.find(end)).min().map_or(name, |end| &name[..end])
}

impl From<BertConfig> for AutoConfig {
    fn from(config: BertConfig) -> Self {
        Self::Bert(config)
    }
}

impl From<DistilBertConfig> for AutoConfig {
    fn from(config: DistilBertConfig) -> Self {
        Self::DistilBert(config)
    }
}
