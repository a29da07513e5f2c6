//! The layer normalization kernels as operations of Burn, which its fusion runs in order.

#![expect(clippy::type_complexity, reason = "`backend_extension` reads the tuple of results in the trait")]

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::launch::{self, NormParameters};
use crate::cube::column_sums::column_sums_of_three;

/// The gradients of x, residual, the bias of x, γ and β.
type NormGradients<T> = (T, T, T, T, T);

#[backend_extension(Cube, Fusion)]
pub(super) trait NormKernels: Backend {
    /// Normalizes x, or residual + dropout(x + x_bias) if `norm` has a residual. All results are fp32.
    ///
    /// Returns the output, the normalized rows before γ and β, and 1/√(σ² + ε) of each row, `[num_tokens]`. The last
    /// two are not written if `norm` does not save them.
    #[fusion(meta = norm_outputs)]
    fn norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        x_bias: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: NormParameters,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the gradients of x, in its type, and of residual, the bias of x, γ and β.
    #[fusion(meta = norm_gradients)]
    fn norm_backward(
        gradient: FloatTensor<Self>,
        normalized: FloatTensor<Self>,
        inverse_deviation: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        norm: NormParameters,
        x_dtype: DType,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the gradients of x and residual only, for frozen γ and β.
    #[fusion(meta = norm_input_gradients)]
    fn norm_input_backward(
        gradient: FloatTensor<Self>,
        normalized: FloatTensor<Self>,
        inverse_deviation: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        norm: NormParameters,
        x_dtype: DType,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn norm_outputs(
    x: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    weight: &TensorSpec,
    _: &TensorSpec,
    norm: &NormParameters,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let [num_tokens, _] = x.shape.dims();
    let spec = |shape: Shape| TensorSpec::new(shape, weight.dtype);
    let saved = if norm.saves {
        [x.shape.clone(), Shape::from([num_tokens])]
    } else {
        [Shape::from(launch::UNUSED), Shape::from([1])]
    };
    let [normalized, inverse_deviation] = saved.map(spec);
    (spec(x.shape.clone()), normalized, inverse_deviation)
}

fn norm_gradients(
    gradient: &TensorSpec,
    normalized: &TensorSpec,
    inverse_deviation: &TensorSpec,
    weight: &TensorSpec,
    norm: &NormParameters,
    x_dtype: &DType,
) -> NormGradients<TensorSpec> {
    let (dx, dresidual) =
        norm_input_gradients(gradient, normalized, inverse_deviation, weight, norm, x_dtype);
    (dx, dresidual, weight.clone(), weight.clone(), weight.clone())
}

fn norm_input_gradients(
    gradient: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &NormParameters,
    x_dtype: &DType,
) -> (TensorSpec, TensorSpec) {
    (TensorSpec::new(gradient.shape.clone(), *x_dtype), gradient.clone())
}

impl NormKernels for CubeBackend {
    fn norm(
        x: CubeTensor,
        residual: CubeTensor,
        x_bias: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        norm: NormParameters,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        launch::forward([x, residual, x_bias, weight, bias].map(into_contiguous), &norm)
    }

    fn norm_backward(
        gradient: CubeTensor,
        normalized: CubeTensor,
        inverse_deviation: CubeTensor,
        weight: CubeTensor,
        norm: NormParameters,
        x_dtype: DType,
    ) -> NormGradients<CubeTensor> {
        let saved = [gradient, normalized, inverse_deviation, weight].map(into_contiguous);
        let (dx, dresidual, partial) = launch::input_gradients(saved, &norm, x_dtype, true);
        let [dweight, dbias, dx_bias] = column_sums_of_three(partial);
        (dx, dresidual, dx_bias, dweight, dbias)
    }

    fn norm_input_backward(
        gradient: CubeTensor,
        normalized: CubeTensor,
        inverse_deviation: CubeTensor,
        weight: CubeTensor,
        norm: NormParameters,
        x_dtype: DType,
    ) -> (CubeTensor, CubeTensor) {
        let saved = [gradient, normalized, inverse_deviation, weight].map(into_contiguous);
        let (dx, dresidual, _) = launch::input_gradients(saved, &norm, x_dtype, false);
        (dx, dresidual)
    }
}
