//! The attention kernels as operations of Burn, which its fusion runs in order.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::heads::Heads;
use super::{launch, tensor_core};

#[backend_extension(Cube, Fusion)]
pub(super) trait AttentionKernels: Backend {
    /// Returns the output, and log Σ exp of each row of scores, `[num_heads, num_tokens]`.
    #[fusion(meta = attention_outputs)]
    fn attention(query_key_value: FloatTensor<Self>, heads: Heads) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the gradient of query, key and value.
    #[fusion(dtype = query_key_value, shape = query_key_value)]
    fn attention_backward(
        query_key_value: FloatTensor<Self>,
        output: FloatTensor<Self>,
        log_sum_exp: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        heads: Heads,
    ) -> FloatTensor<Self>;
}

fn attention_outputs(query_key_value: &TensorSpec, heads: &Heads) -> (TensorSpec, TensorSpec) {
    let [num_tokens, columns] = query_key_value.shape.dims();
    let output = TensorSpec::new(Shape::from([num_tokens, columns / 3]), query_key_value.dtype);
    (output, TensorSpec::new(Shape::from([heads.num_heads, num_tokens]), DType::F32))
}

fn uses_tensor_cores(query_key_value: &CubeTensor, heads: &Heads) -> bool {
    let [_, columns] = query_key_value.shape().dims();
    tensor_core::is_supported(query_key_value, heads.precision, columns / 3 / heads.num_heads)
}

impl AttentionKernels for CubeBackend {
    fn attention(query_key_value: CubeTensor, heads: Heads) -> (CubeTensor, CubeTensor) {
        let query_key_value = into_contiguous(query_key_value);
        if uses_tensor_cores(&query_key_value, &heads) {
            return tensor_core::forward(query_key_value, &heads);
        }
        launch::forward(query_key_value, &heads)
    }

    fn attention_backward(
        query_key_value: CubeTensor,
        output: CubeTensor,
        log_sum_exp: CubeTensor,
        gradient: CubeTensor,
        heads: Heads,
    ) -> CubeTensor {
        let [query_key_value, output, log_sum_exp, gradient] =
            [query_key_value, output, log_sum_exp, gradient].map(into_contiguous);
        if uses_tensor_cores(&query_key_value, &heads) {
            return tensor_core::backward(query_key_value, output, log_sum_exp, gradient, &heads);
        }
        launch::backward(query_key_value, output, log_sum_exp, gradient, &heads)
    }
}
