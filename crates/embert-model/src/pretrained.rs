//! Opening a checkpoint as a classifier.

use std::path::Path;

use burn::tensor::Device;

use crate::ModelError;
use crate::auto_config::AutoConfig;
use crate::classification::AutoModelForSequenceClassification;
use crate::loading::{Pretrained, load};
use crate::weights::Weights;

/// Reads `model.safetensors` (or its shards) of a checkpoint directory into a model of this shape.
///
/// The checkpoint may be of a classifier, of a model with other heads or of the encoder alone. Heads other than a
/// sequence classifier's are unused; a `classifier` is one of them if `architectures` of the config names another task.
/// The layers above the encoder that the checkpoint lacks are made new from `seed`.
///
/// # Errors
/// [`ModelError::TooLarge`] for a config of another size than the files. [`ModelError::LabelCount`] for a classifier with
/// another number of labels. Any other tensor that is missing, has no place in the encoder or has the wrong shape is an
/// error that names it; so are broken files, values that are not finite, and other formats.
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

/// Reads a checkpoint as [`from_pretrained`] does, but makes the classifier new, whatever the checkpoint has. The dense
/// layer below it is kept, as with `ignore_mismatched_sizes` in transformers.
///
/// # Errors
/// Those of [`from_pretrained`] except [`ModelError::LabelCount`].
pub fn from_pretrained_with_new_head(
    directory: &Path,
    config: &AutoConfig,
    seed: u64,
    device: &Device,
) -> Result<Pretrained<AutoModelForSequenceClassification>, ModelError> {
    let zeros = |config: &AutoConfig| AutoModelForSequenceClassification::zeros(config, device);
    load(zeros, directory, config, seed, &|name| config.architecture.is_of_classifier(name))
}

/// Returns true if a checkpoint has the head of a fine-tuned sequence classifier; `config` is the checkpoint's own. Reads
/// only the headers of the files.
///
/// # Errors
/// For weights that are missing, broken or in another format.
pub fn has_classification_head(directory: &Path, config: &AutoConfig) -> Result<bool, ModelError> {
    let weights = Weights::open(directory)?;
    let classifier = config.architecture.head.classifier;
    let has = |parameter: &str| weights.find(&[format!("{classifier}.{parameter}")]).is_some();
    Ok(config.may_have_sequence_head() && has("weight") && has("bias"))
}
