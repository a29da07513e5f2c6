//! What kernels compute, without a tape: forward with what backward needs, and backward.
//!
//! Burn's fusion runs them where their turn comes in its stream of operations.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::{Heads, Norm, attention, layer_norm};

#[backend_extension(Cube, Fusion)]
pub(super) trait Kernels: Backend {
    /// The output, and log Σ exp of each row of scores, `[num_heads, num_tokens]`.
    #[fusion(meta = attention_outputs)]
    fn attention(query_key_value: FloatTensor<Self>, heads: Heads) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// The gradient of query, key and value.
    #[fusion(dtype = query_key_value, shape = query_key_value)]
    fn attention_backward(
        query_key_value: FloatTensor<Self>,
        output: FloatTensor<Self>,
        log_sums: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        heads: Heads,
    ) -> FloatTensor<Self>;

    /// Of x, or of both where `norm` adds: the output, the normalized rows before γ and β, and 1/√(σ² + ε) of each, `[num_tokens]`.
    #[fusion(meta = norm_outputs)]
    fn norm(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        norm: Norm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The gradients of x, residual, γ and β.
    #[fusion(meta = norm_gradients)]
    fn norm_backward(
        gradient: FloatTensor<Self>,
        normalized: FloatTensor<Self>,
        inverse_deviation: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        norm: Norm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn attention_outputs(query_key_value: &TensorSpec, heads: &Heads) -> (TensorSpec, TensorSpec) {
    let [num_tokens, columns] = query_key_value.shape.dims();
    let spec = |shape: [usize; 2]| TensorSpec::new(Shape::from(shape), query_key_value.dtype);
    (spec([num_tokens, columns / 3]), spec([heads.num_heads(), num_tokens]))
}

fn norm_outputs(
    x: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &Norm,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    let [num_tokens, _] = x.shape.dims();
    (x.clone(), x.clone(), TensorSpec::new(Shape::from([num_tokens]), x.dtype))
}

fn norm_gradients(
    gradient: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    weight: &TensorSpec,
    _: &Norm,
) -> (TensorSpec, TensorSpec, TensorSpec, TensorSpec) {
    (gradient.clone(), gradient.clone(), weight.clone(), weight.clone())
}

impl Kernels for CubeBackend {
    fn attention(query_key_value: CubeTensor, heads: Heads) -> (CubeTensor, CubeTensor) {
        attention::forward(into_contiguous(query_key_value), &heads)
    }

    fn attention_backward(
        query_key_value: CubeTensor,
        output: CubeTensor,
        log_sums: CubeTensor,
        gradient: CubeTensor,
        heads: Heads,
    ) -> CubeTensor {
        let [query_key_value, output, log_sums, gradient] =
            [query_key_value, output, log_sums, gradient].map(into_contiguous);
        attention::backward(query_key_value, output, log_sums, gradient, &heads)
    }

    fn norm(
        x: CubeTensor,
        residual: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        norm: Norm,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let [x, residual, weight, bias] = [x, residual, weight, bias].map(into_contiguous);
        layer_norm::forward(x, residual, weight, bias, &norm)
    }

    fn norm_backward(
        gradient: CubeTensor,
        normalized: CubeTensor,
        inverse_deviation: CubeTensor,
        weight: CubeTensor,
        norm: Norm,
    ) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
        let [gradient, normalized, inverse_deviation, weight] =
            [gradient, normalized, inverse_deviation, weight].map(into_contiguous);
        layer_norm::backward(gradient, normalized, inverse_deviation, weight, &norm)
    }
}
