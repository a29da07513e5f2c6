//! A dense layer, plain or adapted: y = xW + b, or y = xW + b + s·dropout(x)·A·B.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use crate::lora::low_rank::Lora;
use crate::parameters::zeros;
use crate::pass::LinearPass;

/// y = xW + b, and the low-rank term of an adapter.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`: the transpose of what PyTorch and the files hold.
    pub weight: Param<Tensor<2>>,
    /// `[out]`; 0 if `None`
    pub bias: Option<Param<Tensor<1>>>,
    /// Set by [`add_adapter`](crate::add_adapter).
    pub lora: Option<Lora>,
}

impl Linear {
    pub(crate) fn zeros(input: usize, output: usize, device: &Device) -> Self {
        Self { weight: zeros([input, output], device), bias: Some(zeros([output], device)), lora: None }
    }

    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub(crate) fn forward(&self, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        let y = embert_kernels::linear(x.clone(), self.weight.val(), self.bias(), at.pass.precision);
        self.add_adapter(y, x, at)
    }

    /// `[out]`
    pub(crate) fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }

    /// y + s·dropout(x)·A·B, or y without an adapter.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, out]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add_adapter(&self, y: Tensor<2>, x: Tensor<2>, at: LinearPass<'_>) -> Tensor<2> {
        match &self.lora {
            Some(lora) => lora.add(0, y, x, at),
            None => y,
        }
    }
}

/// Adds the low-rank terms of maps side by side, each to its own columns.
///
/// # Shapes
/// - `y`, output: `[rows, N · out]`
/// - `x`: `[rows, in]`
pub(crate) fn add_side_by_side<const N: usize>(
    maps: [(&Linear, LinearPass<'_>); N],
    y: Tensor<2>,
    x: &Tensor<2>,
) -> Tensor<2> {
    let width = y.dims()[1] / N;
    maps.into_iter().enumerate().fold(y, |y, (number, (map, at))| match &map.lora {
        Some(lora) => lora.add(number * width, y, x.clone(), at),
        None => y,
    })
}
