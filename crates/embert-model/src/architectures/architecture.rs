//! A family of encoders: everything in which it differs from the others and which config.json does not say.

use std::fmt;

use burn::tensor::Tensor;

use super::keys::Keys;
use crate::ModelError;
use crate::encoder_config::EncoderConfig;

/// A family of encoders. Each has one constant in a file of its own.
pub struct Architecture {
    /// `model_type` in config.json.
    pub model_type: &'static str,
    /// The class of the classifier in `transformers`, as in `architectures` of config.json.
    pub classifier_class: &'static str,
    /// The class of the tokenizer in `transformers`.
    pub tokenizer_class: &'static str,
    /// The settings that `transformers` uses for keys that config.json does not have.
    pub default_config: fn() -> EncoderConfig,
    /// The keys of config.json and their checks.
    pub(crate) keys: fn(&mut EncoderConfig, &mut Keys<'_>) -> Result<(), ModelError>,
    /// What stands before the names of embeddings and layers in a classifier's file, without the dot.
    pub(super) base_model_prefix: &'static str,
    /// The name of the list of layers in the base model.
    pub(super) layers: &'static str,
    /// Parts of module paths and their Hugging Face names. The first one that a path contains is replaced.
    pub(super) renames: &'static [(&'static str, &'static str)],
    /// True if the base model has a pooler.
    pub(crate) has_pooler: bool,
    /// The layers above the base model.
    pub(crate) head: Head,
    /// The linear layers that PEFT adapts if nobody names any; empty if PEFT wants names.
    pub(crate) lora_target_modules: &'static [&'static str],
}

/// The layers of a classification head: dense layer, activation, dropout, classifier.
pub(crate) struct Head {
    /// Name and activation of the dense layer; `None` if the pooler is the dense layer.
    pub(crate) dense: Option<(&'static str, Activation)>,
    /// Name of the last linear layer.
    pub(crate) classifier: &'static str,
}

/// An activation of rows, `[batch, hidden]` to `[batch, hidden]`.
pub(crate) type Activation = fn(Tensor<2>) -> Tensor<2>;

impl PartialEq for Architecture {
    fn eq(&self, other: &Self) -> bool {
        self.model_type == other.model_type
    }
}

impl fmt::Debug for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model_type)
    }
}
