//! The GELU kernels as operations of Burn, which its fusion runs in order.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::launch;
use crate::gelu::GeluApproximation;

#[backend_extension(Cube, Fusion)]
pub(super) trait GeluKernels: Backend {
    /// Returns gelu(x + b), in the type of x.
    #[fusion(dtype = x, shape = x)]
    fn bias_gelu(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        approximation: GeluApproximation,
    ) -> FloatTensor<Self>;

    /// Returns the gradients of x and of the bias.
    #[fusion(meta = gradients)]
    fn bias_gelu_backward(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        approximation: GeluApproximation,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn gradients(
    x: &TensorSpec,
    bias: &TensorSpec,
    _: &TensorSpec,
    _: &GeluApproximation,
) -> (TensorSpec, TensorSpec) {
    (x.clone(), bias.clone())
}

impl GeluKernels for CubeBackend {
    fn bias_gelu(x: CubeTensor, bias: CubeTensor, approximation: GeluApproximation) -> CubeTensor {
        let [x, bias] = [x, bias].map(into_contiguous);
        launch::forward(x, bias, approximation)
    }

    fn bias_gelu_backward(
        x: CubeTensor,
        bias: CubeTensor,
        gradient: CubeTensor,
        approximation: GeluApproximation,
    ) -> (CubeTensor, CubeTensor) {
        let [x, bias, gradient] = [x, bias, gradient].map(into_contiguous);
        launch::backward(x, bias, gradient, approximation)
    }
}
