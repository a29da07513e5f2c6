//! Folding adapters into the weights: W + s·A·B.

use burn::module::Param;
use burn::tensor::Tensor;

use crate::LinearLayers;
use crate::lora::Lora;

/// The same model without adapters: W + s·A·B in the place of each adapted W. All its parameters can be trained again.
pub fn merge_adapter<M: LinearLayers>(mut model: M) -> M {
    for (_, linear) in model.linear_layers() {
        if let Some(lora) = linear.lora.take() {
            linear.weight = merged(linear.weight.clone(), &lora);
        }
    }
    model.set_require_grad(true)
}

fn merged(weight: Param<Tensor<2>>, lora: &Lora) -> Param<Tensor<2>> {
    let change = lora.lora_a.val().matmul(lora.lora_b.val()) * lora.scaling; // [in, out]
    weight.map(|weight| (weight + change).detach())
}
