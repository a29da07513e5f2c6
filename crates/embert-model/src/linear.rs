//! Linear layer, with or without a LoRA adapter: y = xW + b + s·dropout(x)·A·B.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::forward_context::LinearContext;
use crate::lora::low_rank::Lora;
use crate::parameters::zeros;

/// Linear layer y = xW + b, plus s·dropout(x)·A·B if it has a LoRA adapter.
#[derive(Module, Debug)]
pub struct Linear {
    /// W, `[in, out]`: the transpose of the weight in PyTorch and in safetensors files.
    pub weight: Param<Tensor<2>>,
    /// b, `[out]`; `None` means 0.
    pub bias: Option<Param<Tensor<1>>>,
    /// The LoRA adapter, set by [`add_adapter`](crate::add_adapter).
    pub lora: Option<Lora>,
}

impl Linear {
    pub(crate) fn zeros(input: usize, output: usize, device: &Device) -> Self {
        Self { weight: zeros([input, output], device), bias: Some(zeros([output], device)), lora: None }
    }

    /// Returns y = xW + b + s·dropout(x)·A·B.
    ///
    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub(crate) fn forward(&self, x: Tensor<2>, context: LinearContext<'_>) -> Tensor<2> {
        let y = embert_kernels::linear(x.clone(), self.weight.val(), self.bias(), context.forward.precision);
        self.add_adapter(y, x, context)
    }

    /// Returns b, `[out]`.
    pub(crate) fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }

    /// Returns y + s·dropout(x)·A·B; y if there is no adapter.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, out]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add_adapter(&self, y: Tensor<2>, x: Tensor<2>, context: LinearContext<'_>) -> Tensor<2> {
        match &self.lora {
            Some(lora) => lora.add(0, y, x, context),
            None => y,
        }
    }
}

/// Adds the LoRA terms of N linear layers whose outputs are concatenated in y, such as Q, K and V.
///
/// # Shapes
/// - `y`, output: `[rows, N · out]`
/// - `x`: `[rows, in]`
pub(crate) fn add_fused_adapters<const N: usize>(
    layers: [(&Linear, LinearContext<'_>); N],
    y: Tensor<2>,
    x: &Tensor<2>,
) -> Tensor<2> {
    let width = y.dims()[1] / N;
    layers.into_iter().enumerate().fold(y, |y, (number, (layer, context))| match &layer.lora {
        Some(lora) => lora.add(number * width, y, x.clone(), context),
        None => y,
    })
}
