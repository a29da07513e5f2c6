//! Which parameters training changes: those that require a gradient.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::names::{ParameterMapper, hugging_face_name, map_parameters};

/// Lets exactly those parameters require a gradient of whose Hugging Face name `trainable` says so.
///
/// The others get no gradient, no optimizer state and no weight decay, and nothing is computed for them in backward.
/// Dropout goes on where they stand.
///
/// ```
/// use burn::tensor::Device;
/// use embert_model::{BertConfig, BertForSequenceClassification, set_trainable};
///
/// let config = BertConfig { num_hidden_layers: 1, hidden_size: 32, num_attention_heads: 2, ..BertConfig::default() };
/// let model = BertForSequenceClassification::new(&config, 42, &Device::flex().autodiff());
/// let model = set_trainable(model, &|name| name.starts_with("classifier."));
/// assert!(model.classifier.weight.is_require_grad() && !model.bert.pooler.dense.weight.is_require_grad());
/// ```
pub fn set_trainable<M: Module>(module: M, trainable: &dyn Fn(&str) -> bool) -> M {
    map_parameters(module, &mut SetTrainable { trainable })
}

struct SetTrainable<'a> {
    trainable: &'a dyn Fn(&str) -> bool,
}

impl ParameterMapper for SetTrainable<'_> {
    fn map<const D: usize>(&mut self, path: &str, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.set_require_grad((self.trainable)(&hugging_face_name(path)))
    }
}
