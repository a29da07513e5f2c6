//! Linear layer, with or without an adapter: y = xW + b + s·dropout(x)·A·B with LoRA.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::forward_context::LinearContext;
use crate::lora::dora::{DoraPart, add_dora};
use crate::lora::low_rank::Lora;
use crate::parameters::zeros;

/// Linear layer y = xW + b, plus s·dropout(x)·A·B if it has a LoRA adapter. DoRA also scales the columns.
#[derive(Module, Debug)]
pub struct Linear {
    /// W, `[in, out]`: the transpose of the weight in PyTorch and in safetensors files.
    pub weight: Param<Tensor<2>>,
    /// b, `[out]`; `None` means 0.
    pub bias: Option<Param<Tensor<1>>>,
    /// The LoRA or DoRA adapter, set by [`add_adapter`](crate::add_adapter).
    pub lora: Option<Lora>,
}

impl Linear {
    pub(crate) fn zeros(input: usize, output: usize, device: &Device) -> Self {
        Self { weight: zeros([input, output], device), bias: Some(zeros([output], device)), lora: None }
    }

    pub(crate) fn zeros_without_bias(input: usize, output: usize, device: &Device) -> Self {
        Self { bias: None, ..Self::zeros(input, output, device) }
    }

    /// Returns y = xW + b + s·dropout(x)·A·B, or the output of [DoRA](crate::lora::dora).
    ///
    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub(crate) fn forward(&self, x: Tensor<2>, context: LinearContext<'_>) -> Tensor<2> {
        let y = embert_kernels::linear(x.clone(), self.weight.val(), self.bias(), context.forward.precision);
        add_fused_adapters([(self, context)], y, &x)
    }

    /// Returns xW + s·dropout(x)·A·B: the output of [`forward`](Self::forward) before the bias, which the next operation
    /// adds.
    ///
    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub(crate) fn forward_without_bias(&self, x: Tensor<2>, context: LinearContext<'_>) -> Tensor<2> {
        let y = embert_kernels::linear(x.clone(), self.weight.val(), None, context.forward.precision);
        add_adapters([(self, context, None)], y, &x)
    }

    /// Returns b, `[out]`.
    pub(crate) fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}

/// Adds the adapters of N linear layers whose outputs xW + b are concatenated in y, such as Q, K and V.
///
/// # Shapes
/// - `y`, output: `[rows, N · out]`
/// - `x`: `[rows, in]`
pub(crate) fn add_fused_adapters<const N: usize>(
    layers: [(&Linear, LinearContext<'_>); N],
    y: Tensor<2>,
    x: &Tensor<2>,
) -> Tensor<2> {
    add_adapters(layers.map(|(layer, context)| (layer, context, layer.bias())), y, x)
}

/// Adds the adapters of N linear layers. Each layer has the bias that y contains.
fn add_adapters<const N: usize>(
    layers: [(&Linear, LinearContext<'_>, Option<Tensor<1>>); N],
    y: Tensor<2>,
    x: &Tensor<2>,
) -> Tensor<2> {
    let has_dora =
        |linear: &Linear| linear.lora.as_ref().is_some_and(|lora| lora.lora_magnitude_vector.is_some());
    if layers.iter().any(|(layer, ..)| has_dora(layer)) {
        let parts = layers.map(|(layer, context, bias)| DoraPart {
            lora: layer.lora.as_ref(),
            weight: layer.weight.val(),
            bias,
            context,
        });
        return add_dora(&parts, y, x);
    }
    let width = y.dims()[1] / N;
    layers.into_iter().enumerate().fold(y, |y, (number, (layer, context, _))| match &layer.lora {
        Some(lora) => lora.add(number * width, y, x.clone(), context),
        None => y,
    })
}
