//! Folding adapters into the weights: W + s·A·B.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::low_rank::Lora;

/// Returns the same model without adapters, with W + s·A·B in the place of each adapted W. All its parameters can be
/// trained again.
pub fn merge_adapter(mut model: AutoModelForSequenceClassification) -> AutoModelForSequenceClassification {
    for (_, linear) in model.linear_layers() {
        if let Some(lora) = linear.lora.take() {
            linear.weight = merged(linear.weight.clone(), &lora);
        }
    }
    model.lora = None;
    model.set_require_grad(true)
}

fn merged(weight: Param<Tensor<2>>, lora: &Lora) -> Param<Tensor<2>> {
    let change = lora.lora_a.val().matmul(lora.lora_b.val()) * lora.scaling; // [in, out]
    weight.map(|weight| (weight + change).detach())
}
