//! Whether weights are still numbers: ‖w‖₂ < ∞.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use embert_kernels::sum_of_squares;

/// Whether no parameter holds an infinity or a NaN. Give it the model without autodiff. Reads back: synchronises.
pub(crate) fn is_finite<M: Module>(model: &M) -> bool {
    let mut norm = SquaredNorm(0.0);
    model.visit(&mut norm);
    norm.0.is_finite()
}

struct SquaredNorm(f64);

impl ModuleVisitor for SquaredNorm {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 += sum_of_squares(param.val().flatten(0, D - 1));
    }
}
