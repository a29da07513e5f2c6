//! Text classifier: texts or text pairs in, labels and scores out; for regression, values.

use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{AutoConfig, AutoModelForSequenceClassification, ProblemType};
use embert_text::{EncodedTexts, Limit, Tokenizer};

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::model_directory::ModelDirectory;
use crate::open_options::OpenOptions;
use crate::predict::predict;
use crate::prediction::Prediction;

/// Fine-tuned classifier with its tokenizer and label names.
#[derive(Debug)]
pub struct Classifier {
    /// The model, without autodiff.
    pub model: AutoModelForSequenceClassification,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    /// The label names by id, one for each output of the model.
    pub labels: Vec<String>,
    /// The task: one label for each text, any number of labels, or a value for each target.
    pub problem_type: ProblemType,
    /// The decision thresholds of a multi-label model, by label id; `None` is 0.5 for all labels.
    pub thresholds: Option<Vec<f32>>,
    /// The maximum number of tokens of a text or a pair, the truncation side, and the text of a pair that is truncated.
    pub limit: Limit,
    /// Batch size, padding and precision.
    pub batching: Batching,
}

impl Classifier {
    /// Opens a directory written by transformers, peft or embert.
    ///
    /// Maximum length, truncation and precision are those of training.
    ///
    /// # Errors
    /// The errors of [`ModelDirectory::open`], [`ModelDirectory::load`] and
    /// [`TrainingSettings::from_dir`](crate::TrainingSettings::from_dir);
    /// [`ModelError::Config`](embert_model::ModelError::Config) if the labels in config.json are invalid.
    pub fn open(directory: impl AsRef<Path>, device: &Device) -> Result<Self, InferenceError> {
        Self::open_with(directory, &OpenOptions::default(), device)
    }

    /// Opens a directory with options that override those of training.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open); [`InferenceError::Precision`]; a
    /// [`TextError`](embert_text::TextError) if the model does not support the length.
    pub fn open_with(
        directory: impl AsRef<Path>,
        options: &OpenOptions,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        let (directory, limit, batching) = options.open(directory.as_ref(), device)?;
        Self::load(directory, limit, batching, device)
    }

    /// Loads the weights of a model directory.
    ///
    /// # Errors
    /// The errors of [`ModelDirectory::load`]; [`ModelError::Config`](embert_model::ModelError::Config) if
    /// the labels in config.json are invalid.
    pub fn load(
        directory: ModelDirectory,
        limit: Limit,
        batching: Batching,
        device: &Device,
    ) -> Result<Self, InferenceError> {
        directory.config.check_labels()?;
        let model = directory.load(device)?;
        Ok(Self::new(model, &directory.config, directory.tokenizer, limit, batching))
    }

    /// Returns the classifier of a model and its config, which has the labels, the task and the thresholds.
    pub fn new(
        model: AutoModelForSequenceClassification,
        config: &AutoConfig,
        tokenizer: Tokenizer,
        limit: Limit,
        batching: Batching,
    ) -> Self {
        let thresholds = config.thresholds().map(<[f32]>::to_vec);
        let (labels, problem_type) = (config.label_names(), config.problem_type());
        Self { model, tokenizer, labels, problem_type, thresholds, limit, batching }
    }

    /// Classifies each text. The results have the order of the texts.
    ///
    /// # Errors
    /// [`InferenceError::NotFinite`] if the output of the model is NaN or infinite.
    pub fn classify<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Vec<Prediction>, InferenceError> {
        Ok(self.predictions(&self.logits(texts)?))
    }

    /// Classifies each pair of texts, such as a premise and a hypothesis. The results have the order of the pairs.
    ///
    /// # Errors
    /// The errors of [`logits_pairs`](Self::logits_pairs).
    pub fn classify_pairs<A, B>(&self, pairs: &[(A, B)]) -> Result<Vec<Prediction>, InferenceError>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        Ok(self.predictions(&self.logits_pairs(pairs)?))
    }

    /// Returns the prediction for a row of logits, `[num_labels]`.
    ///
    /// # Panics
    /// If the number of logits is not the number of labels.
    pub fn prediction(&self, logits: &[f32]) -> Prediction {
        assert_eq!(logits.len(), self.labels.len(), "one logit for each label");
        Prediction::new(logits, &self.labels, self.problem_type, self.thresholds.as_deref())
    }

    /// Returns the logits of each text, `[texts][num_labels]`, in the order of the texts.
    ///
    /// # Errors
    /// [`InferenceError::NotFinite`] if the output of the model is NaN or infinite.
    pub fn logits<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Vec<Vec<f32>>, InferenceError> {
        let texts = self.tokenizer.encode_all(texts, self.limit, &|_| ());
        self.predict(&texts)
    }

    /// Returns the logits of each pair of texts, `[pairs][num_labels]`, in the order of the pairs.
    ///
    /// # Errors
    /// The errors of [`Tokenizer::encode_all_pairs`]; [`InferenceError::NoSecondTokenType`] if the model has only one
    /// token type; [`InferenceError::NotFinite`] if the output of the model is NaN or infinite.
    pub fn logits_pairs<A, B>(&self, pairs: &[(A, B)]) -> Result<Vec<Vec<f32>>, InferenceError>
    where
        A: AsRef<str> + Sync,
        B: AsRef<str> + Sync,
    {
        let (texts, text_pairs): (Vec<_>, Vec<_>) =
            pairs.iter().map(|(text, text_pair)| (text.as_ref(), text_pair.as_ref())).unzip();
        let texts = self.tokenizer.encode_all_pairs(&texts, &text_pairs, self.limit, &|_| ())?;
        self.predict(&texts)
    }

    fn predict(&self, texts: &EncodedTexts) -> Result<Vec<Vec<f32>>, InferenceError> {
        predict(&self.model, texts, self.batching, &mut |_| Ok(ControlFlow::Continue(())))
    }

    fn predictions(&self, logits: &[Vec<f32>]) -> Vec<Prediction> {
        logits.iter().map(|logits| self.prediction(logits)).collect()
    }
}
