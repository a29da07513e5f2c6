//! A dense layer: y = xW + b.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use embert_kernels::Precision;

/// y = xW + b.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[in, out]`: the transpose of what PyTorch and the files hold.
    pub weight: Param<Tensor<2>>,
    /// `[out]`
    pub bias: Param<Tensor<1>>,
}

impl Linear {
    pub(crate) fn zeros(input: usize, output: usize, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([input, output], device)),
            bias: Param::from_tensor(Tensor::zeros([output], device)),
        }
    }

    /// # Shapes
    /// - `x`: `[rows, in]`
    /// - output: `[rows, out]`
    pub fn forward(&self, x: Tensor<2>, precision: Precision) -> Tensor<2> {
        embert_kernels::linear(x, self.weight.val(), Some(self.bias.val()), precision)
    }
}
