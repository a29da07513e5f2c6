//! Merging adapters into the weights: W + s·A·B; with DoRA, m/‖W + s·A·B‖ · (W + s·A·B).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_kernels::{Precision, linear};

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::dora::magnitude_scale;
use crate::lora::low_rank::Lora;

/// Merges the LoRA adapters into the weights and returns a model without adapters.
///
/// Each adapted W becomes W + s·A·B. With DoRA, its columns then get the norms m. All parameters of the result
/// are trainable.
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
    let delta = linear(lora.lora_a.val(), lora.lora_b.val(), None, Precision::Fp32) * lora.scaling; // [in, out]
    let scale = magnitude_scale(lora, weight.val()); // [1, out]
    weight.map(|weight| {
        let merged = weight + delta;
        scale.map_or(merged.clone(), |scale| merged * scale).detach()
    })
}
