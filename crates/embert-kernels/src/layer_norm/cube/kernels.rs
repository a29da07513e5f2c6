//! The layer normalization kernels as operations of Burn, which its fusion runs in order.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::launch::{self, NormParameters};

#[backend_extension(Cube, Fusion)]
pub(super) trait NormKernels: Backend {
    /// Normalizes x, or x + residual if `norm` has a residual.
    ///
    /// Returns the output, the normalized rows before γ and β, and 1/√(σ² + ε) of each row, `[num_tokens]`.
    #[fusion(meta = norm_outputs)]
    fn norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: NormParameters,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the gradients of x, residual, γ and β.
    #[fusion(meta = norm_gradients)]
    fn norm_backward(
        gradient: FloatTensor<Self>,
        normalized: FloatTensor<Self>,
        inverse_deviation: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        norm: NormParameters,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn norm_outputs(
    x: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &NormParameters,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let [num_tokens, _] = x.shape.dims();
    (x.clone(), x.clone(), TensorSpec::new(Shape::from([num_tokens]), x.dtype))
}

fn norm_gradients(
    gradient: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    weight: &TensorSpec,
    _: &NormParameters,
) -> (TensorSpec, TensorSpec, TensorSpec, TensorSpec) {
    (gradient.clone(), gradient.clone(), weight.clone(), weight.clone())
}

impl NormKernels for CubeBackend {
    fn norm(
        x: CubeTensor,
        residual: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        norm: NormParameters,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let [x, residual, weight, bias] = [x, residual, weight, bias].map(into_contiguous);
        launch::forward(x, residual, weight, bias, &norm)
    }

    fn norm_backward(
        gradient: CubeTensor,
        normalized: CubeTensor,
        inverse_deviation: CubeTensor,
        weight: CubeTensor,
        norm: NormParameters,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let [gradient, normalized, inverse_deviation, weight] =
            [gradient, normalized, inverse_deviation, weight].map(into_contiguous);
        launch::backward(gradient, normalized, inverse_deviation, weight, &norm)
    }
}
