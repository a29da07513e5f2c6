//! A dense layer, plain or adapted: y = xW + b, or y = xW + b + s·dropout(x)·A·B.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::Lora;
use crate::blueprint::zeros;
use crate::pass::LinearPass;

/// y = xW + b, and what an adapter adds to it.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`: the transpose of what PyTorch and the files hold.
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
    /// What [`add_adapter`](crate::add_adapter) puts here.
    pub lora: Option<Lora>,
}

impl Linear {
    pub(crate) fn zeros(input: usize, output: usize, device: &Device) -> Self {
        Self { weight: zeros([input, output], device), bias: zeros([output], device), lora: None }
    }

    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub(crate) fn forward(&self, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let y = embert_kernels::linear(x.clone(), weight, Some(bias), at.pass.precision);
        self.add_adapter(y, x, at)
    }

    /// y + s·dropout(x)·A·B, or y where there is no adapter.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, out]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add_adapter(&self, y: Tensor<2>, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        match &self.lora {
            Some(lora) => lora.add(y, x, at),
            None => y,
        }
    }
}

/// A module whose linear layers can be named, so that adapters find their places.
pub trait LinearLayers: Module {
    /// Every linear layer under its Hugging Face name, from the bottom upwards.
    fn linear_layers(&mut self) -> Vec<(String, &mut Linear)>;
}
