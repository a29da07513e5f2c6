//! Comparison of the loss and the gradients with transformers.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Gradients, Int, Tensor};
use embert_model::{AutoModelForSequenceClassification, Parameter, ParameterVisitor, visit_parameters};

use crate::golden::{Golden, assert_close, values};

/// Compares the loss and all gradients with transformers. Returns the number of parameters with a gradient.
pub(crate) fn assert_gradients_agree(
    model: &AutoModelForSequenceClassification,
    logits: Tensor<2>,
    golden: &Golden,
) -> usize {
    let loss = loss(logits, golden);
    assert_close("loss", &values(loss.clone()), &golden.floats("loss"), 1e-5);
    let found = gradients_by_name(model, loss.backward());
    for (name, gradient) in &found {
        assert_close(name, gradient, &golden.floats(&format!("grad.{name}")), 1e-4);
    }
    found.len()
}

/// Returns the mean cross entropy.
pub(crate) fn loss(logits: Tensor<2>, golden: &Golden) -> Tensor<1> {
    let labels = golden.integers("labels");
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &logits.device()).unsqueeze_dim(1);
    log_softmax(logits, 1).gather(1, labels).mean().neg()
}

/// Returns the gradients by Hugging Face name, in the orientation of safetensors files.
pub(crate) fn gradients_by_name(
    model: &AutoModelForSequenceClassification,
    gradients: Gradients,
) -> BTreeMap<String, Vec<f32>> {
    let mut collector = Collector { gradients, found: BTreeMap::new() };
    visit_parameters(model, &mut collector);
    collector.found
}

struct Collector {
    gradients: Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ParameterVisitor for Collector {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.grad(&self.gradients) else { return };
        let name = parameter.name;
        let is_table = name.contains("embeddings.") || name.contains("relative_attention_bias.");
        let dense = D == 2 && !is_table;
        self.found.insert(name, values(if dense { gradient.transpose() } else { gradient }));
    }
}
