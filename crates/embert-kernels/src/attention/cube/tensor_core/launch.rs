//! Launches the tensor-core kernels.

use std::iter;

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::*;

use super::row::{ROWS, UNITS};
use super::{forward as attend, key_value_gradient, query_gradient};
use crate::attention::cube::bias_gradient::bias_gradient;
use crate::attention::cube::heads::Heads;
use crate::attention::cube::relative_bias::DeviceBias;
use crate::cube::memory::{element_type, uninitialized, uninitialized_of, upload};
use crate::cube::tensor_cores::{has_tensor_cores, operand_type};
use crate::dropout::cube::DeviceMask;
use crate::precision::Precision;

/// The number of columns of a vector.
const PAIR: usize = 2;

/// The widest head of which dK and dV fit into the registers together.
const MAX_WIDTH_OF_BOTH: usize = 64;

/// Returns true if the operands of tensor cores fit heads of d columns.
pub(in crate::attention::cube) fn fits(d: usize) -> bool {
    d.is_multiple_of(16)
}

/// Returns true if the device has tensor cores for products of this precision, and they fit heads of d columns.
pub(in crate::attention::cube) fn is_supported(like: &CubeTensor, precision: Precision, d: usize) -> bool {
    fits(d) && has_tensor_cores(&like.client, precision)
}

/// Returns the type of the operands.
fn of_products(heads: &Heads) -> ElemType {
    operand_type(heads.precision).expect("the kernels are launched if the device has them for this precision")
}

/// Returns the output, with zeros in padding rows, and log Σ exp of each row of scores, `[num_heads, num_tokens]`.
pub(in crate::attention::cube) fn forward(
    qkv: CubeTensor,
    bias: &DeviceBias,
    heads: &Heads,
) -> [CubeTensor; 2] {
    let [num_tokens, columns] = qkv.shape().dims();
    let dtype = qkv.dtype;
    let output = uninitialized_of(&qkv, [num_tokens, columns / 3], dtype);
    let log_sum_exp = uninitialized(&qkv, [heads.num_heads, num_tokens]);
    let (d, mask) = (columns / 3 / heads.num_heads, DeviceMask::new(heads.mask.as_ref(), &qkv));
    let tile = if d <= 64 { 64 } else { 32 };
    if num_tokens > 0 {
        attend::attend::launch(
            &qkv.client.clone(),
            heads.cubes(ROWS),
            CubeDim::new_1d(UNITS as u32),
            PAIR,
            upload(&qkv, &heads.sequences).into_buffer_arg(),
            qkv.into_buffer_arg(),
            output.clone().into_buffer_arg(),
            log_sum_exp.clone().into_buffer_arg(),
            mask.launch(),
            bias.launch(),
            heads.shape(d, num_tokens, PAIR, tile),
            element_type(dtype),
            of_products(heads),
        );
    }
    [output, log_sum_exp]
}

/// Returns the gradient of query, key and value, `[num_tokens, 3 · hidden]`, and that of the bias if it is needed.
pub(in crate::attention::cube) fn backward(
    [output, log_sum_exp, gradient, qkv]: [CubeTensor; 4],
    bias: &DeviceBias,
    heads: &Heads,
) -> Vec<CubeTensor> {
    let shape @ [num_tokens, columns] = qkv.shape().dims();
    let dtype = qkv.dtype;
    let dqkv = uninitialized_of(&qkv, shape, dtype);
    let products = uninitialized(&qkv, [heads.num_heads, num_tokens]); // Σ dO∘O of each row
    let (d, mask) = (columns / 3 / heads.num_heads, DeviceMask::new(heads.mask.as_ref(), &qkv));
    let (client, sequences) = (qkv.client.clone(), upload(&qkv, &heads.sequences));
    let tile = if d <= 64 { 32 } else { 16 };
    if num_tokens == 0 {
        return vec![dqkv];
    }
    query_gradient::query_gradient::launch(
        &client,
        heads.cubes(ROWS),
        CubeDim::new_1d(UNITS as u32),
        PAIR,
        sequences.clone().into_buffer_arg(),
        qkv.clone().into_buffer_arg(),
        output.into_buffer_arg(),
        gradient.clone().into_buffer_arg(),
        log_sum_exp.clone().into_buffer_arg(),
        dqkv.clone().into_buffer_arg(),
        products.clone().into_buffer_arg(),
        mask.launch(),
        bias.launch(),
        heads.shape(d, num_tokens, PAIR, tile),
        element_type(dtype),
        of_products(heads),
    );
    let parts = if d <= MAX_WIDTH_OF_BOTH { &[(true, true)][..] } else { &[(true, false), (false, true)] };
    for &(of_key, of_value) in parts {
        key_value_gradient::key_value_gradient::launch(
            &client,
            heads.cubes(ROWS),
            CubeDim::new_1d(UNITS as u32),
            PAIR,
            sequences.clone().into_buffer_arg(),
            qkv.clone().into_buffer_arg(),
            gradient.clone().into_buffer_arg(),
            log_sum_exp.clone().into_buffer_arg(),
            products.clone().into_buffer_arg(),
            dqkv.clone().into_buffer_arg(),
            mask.launch(),
            bias.launch(),
            heads.shape(d, num_tokens, PAIR, tile),
            of_key,
            of_value,
            element_type(dtype),
            of_products(heads),
        );
    }
    let sums = [log_sum_exp, products];
    let dbias = bias.has_gradient.then(|| bias_gradient(qkv, gradient, sums, bias, heads));
    iter::once(dqkv).chain(dbias).collect()
}
