//! Loading a checkpoint as a sequence classifier.

use std::path::Path;

use burn::tensor::Device;

use crate::ModelError;
use crate::auto_config::AutoConfig;
use crate::classification::AutoModelForSequenceClassification;
use crate::loading::{Pretrained, load};
use crate::weights::Weights;

/// Loads `model.safetensors`, or its shards, from a checkpoint directory.
///
/// The checkpoint may be a classifier, a model with another head or a bare encoder. Other heads are not used.
/// A tensor named `classifier` is not used either if `architectures` in config.json names another task.
/// Layers of the head that the checkpoint lacks are initialized from `seed`.
///
/// # Errors
/// [`ModelError::TooLarge`] if the config does not fit the size of the files; [`ModelError::LabelCount`] if
/// the classifier has another number of labels; [`ModelError::Missing`], [`ModelError::Unused`] or
/// [`ModelError::Shape`] if another tensor does not fit; other errors for damaged files, values that are not
/// finite and unsupported formats.
pub fn from_pretrained(
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    device: &Device,
) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    if config.may_have_sequence_head() {
        let zeros = |config: &AutoConfig| AutoModelForSequenceClassification::zeros(config, device);
        load(zeros, directory, config, seed, &|_| false)
    } else {
        from_pretrained_with_new_head(directory, config, seed, device)
    }
}

/// Loads a checkpoint as [`from_pretrained`] does, but always initializes the classifier.
///
/// The dense layer before the classifier is loaded. transformers does the same with
/// `ignore_mismatched_sizes`.
///
/// # Errors
/// The errors of [`from_pretrained`], except [`ModelError::LabelCount`].
pub fn from_pretrained_with_new_head(
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    device: &Device,
) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    let zeros = |config: &AutoConfig| AutoModelForSequenceClassification::zeros(config, device);
    load(zeros, directory, config, seed, &|name| config.architecture.is_of_classifier(name))
}

/// Returns true if a checkpoint has the head of a fine-tuned sequence classifier.
///
/// `config` is the config of the checkpoint. Only the headers of the files are read.
///
/// # Errors
/// Fails if the weights are missing, damaged or in an unsupported format.
pub fn has_classification_head(directory: &Path, config: &AutoConfig) -> Result<bool, ModelError> {
    let weights = Weights::open(directory)?;
    let classifier = config.architecture.head.classifier;
    let has = |parameter: &str| weights.find(&[format!("{classifier}.{parameter}")]).is_some();
    Ok(config.may_have_sequence_head() && has("weight") && has("bias"))
}
