//! Description of a model family: tensor names, config keys, head and default LoRA targets.

use std::fmt;

use burn::tensor::Tensor;
use embert_kernels::{GeluApproximation, bias_gelu};

use super::config_keys::ConfigKeys;
use crate::ModelError;
use crate::encoder_config::EncoderConfig;

/// A model family. Each family is a constant in its own file.
pub struct Architecture {
    /// The value of `model_type` in config.json.
    pub model_type: &'static str,
    /// Well-known models of the family.
    pub models: &'static str,
    /// The class name of the sequence classifier in transformers, as in `architectures` of config.json.
    pub classifier_class: &'static str,
    /// The class name of the tokenizer in transformers.
    pub tokenizer_class: &'static str,
    /// True if the tokenizer is WordPiece with BERT's special tokens.
    pub has_word_pieces: bool,
    /// Returns the defaults of transformers for keys that config.json lacks.
    pub default_config: fn() -> EncoderConfig,
    /// Reads, checks and writes the keys of config.json.
    pub(crate) keys: fn(&mut EncoderConfig, &mut ConfigKeys<'_>) -> Result<(), ModelError>,
    /// The prefix of embeddings and layers in the file of a classifier, without the dot.
    pub(super) base_model_prefix: &'static str,
    /// The path of the list of layers in the base model.
    pub(super) layers: &'static str,
    /// The names of modules of the base model that belong to the embeddings.
    pub(super) embeddings: &'static [&'static str],
    /// Tensors of the base model that checkpoints contain and the model does not use, without the prefix.
    pub(super) ignored: &'static [&'static str],
    /// Parts of module paths and their Hugging Face names. The first part that a path contains is replaced.
    pub(super) renames: &'static [(&'static str, &'static str)],
    /// True if the base model has a pooler.
    pub(crate) has_pooler: bool,
    /// The name of the LayerNorm after the last layer. It is a part of the head.
    pub(super) final_norm: Option<&'static str>,
    /// The classification head.
    pub(crate) head: Head,
    /// The default `target_modules` of PEFT; empty if PEFT has no default for the family.
    pub(crate) lora_target_modules: &'static [&'static str],
}

/// Classification head: dropout, dense layer, activation, norm, dropout, classifier.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    /// Name and activation of the dense layer; `None` if the pooler is the dense layer.
    pub(crate) dense: Option<(&'static str, Activation)>,
    /// True if pretrained models have the dense layer; false if fine-tuning begins with random weights.
    pub(crate) pretrained_dense: bool,
    /// True if the dropout before the classifier also applies before the dense layer.
    pub(crate) drops_input: bool,
    /// Name of the LayerNorm after the activation.
    pub(crate) norm: Option<&'static str>,
    /// Name of the last linear layer.
    pub(crate) classifier: &'static str,
}

/// Activation function, `[batch, hidden]` to `[batch, hidden]`.
pub(crate) type Activation = fn(Tensor<2>) -> Tensor<2>;

/// Exact GELU. On GPUs, Burn's own `gelu` has the gradient of the tanh approximation.
pub(super) fn gelu(x: Tensor<2>) -> Tensor<2> {
    bias_gelu(x, None, GeluApproximation::None)
}

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
