//! The low-rank term of an adapted linear layer: s·dropout(x)·A·B.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_kernels::add_low_rank;

use crate::pass::LinearPass;

/// What is learnt next to a frozen linear layer: s·dropout(x)·A·B.
#[derive(Module, Debug)]
pub struct Lora {
    /// A, `[in, r]`: the transpose of what PyTorch and the files hold.
    pub lora_a: Param<Tensor<2>>,
    /// B, `[r, out]`: likewise.
    pub lora_b: Param<Tensor<2>>,
    /// s: `lora_alpha / r`, or `lora_alpha / √r`.
    pub scaling: f64,
    /// `lora_dropout`
    pub dropout: f64,
}

impl Lora {
    /// y + s·dropout(x)·A·B, added to the columns of y from `first_column` on.
    ///
    /// # Shapes
    /// - `y`, output: `[rows, columns]`
    /// - `x`: `[rows, in]`
    pub(crate) fn add(
        &self,
        first_column: usize,
        y: Tensor<2>,
        x: Tensor<2>,
        at: LinearPass<'_>,
    ) -> Tensor<2> {
        let site = at.pass.site(at.layer, at.site, self.dropout);
        let matrices = [self.lora_a.val(), self.lora_b.val()];
        add_low_rank(y, x, matrices, self.scaling, first_column, at.layout, site)
    }
}
