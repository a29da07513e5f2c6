//! Low-rank term of a LoRA adapter: s·dropout(x)·A·B.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_kernels::add_low_rank;

use crate::forward_context::LinearContext;
use crate::lora::matrices::LoraMatrices;

/// LoRA adapter of a frozen linear layer: s·dropout(x)·A·B.
#[derive(Module, Debug)]
pub struct Lora {
    /// A, `[in, r]`: the transpose of the matrix in PyTorch and in safetensors files.
    pub lora_a: Param<Tensor<2>>,
    /// B, `[r, out]`: the transpose of the matrix in PyTorch and in safetensors files.
    pub lora_b: Param<Tensor<2>>,
    /// m of DoRA, `[out]`, the norms of the columns of the weight; `None` for plain LoRA.
    pub lora_magnitude_vector: Option<Param<Tensor<1>>>,
    /// Scaling s: `lora_alpha / r`, or `lora_alpha / √r` with `use_rslora`.
    pub scaling: f64,
    /// Dropout rate of x, `lora_dropout`.
    pub dropout: f64,
    /// A₀ and B₀ of PiSSA and OLoRA, if s·A₀·B₀ was subtracted from W.
    #[module(skip)]
    pub(crate) initial: Option<Arc<LoraMatrices>>,
}

impl Lora {
    /// Adds s·dropout(x)·A·B to the columns of y that begin at `first_column`.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, columns]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add(
        &self,
        first_column: usize,
        y: Tensor<2>,
        x: Tensor<2>,
        context: LinearContext<'_>,
    ) -> Tensor<2> {
        let site = context.forward.site(context.layer, context.site, self.dropout);
        let matrices = [self.lora_a.val(), self.lora_b.val()];
        add_low_rank(y, x, matrices, self.scaling, first_column, context.layout, site)
    }
}
