//! Checks that all weights are finite: ‖w‖₂ < ∞.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use embert_kernels::sum_of_squares;

/// Returns true if every weight is finite. Needs a model without autodiff. Waits for the device.
pub(crate) fn is_finite<M: Module>(model: &M) -> bool {
    let mut squares = Squares(vec![]);
    model.visit(&mut squares);
    Tensor::cat(squares.0, 0).into_data().iter::<f64>().all(f64::is_finite)
}

/// The sum of squares of each parameter, `[1]`.
struct Squares(Vec<Tensor<1>>);

impl ModuleVisitor for Squares {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(sum_of_squares(param.val().flatten(0, D - 1)));
    }
}
