//! Reference implementation of GeGLU: gelu(a) ∘ g for x = [a g] (Shazeer, 2020).

use burn::tensor::Tensor;

use crate::gelu::{GeluApproximation, reference::bias_gelu};
use crate::linear::reference::linear;
use crate::precision::{Precision, to_fp32};

/// gelu(a) ∘ g for x = [a g]; see [`geglu`](crate::geglu).
pub fn geglu(x: Tensor<2>) -> Tensor<2> {
    let (intermediate, dtype) = (x.dims()[1] / 2, x.dtype());
    let x = to_fp32(x);
    let [a, g] = [0, 1].map(|block| x.clone().narrow(1, block * intermediate, intermediate));
    (bias_gelu(a, None, GeluApproximation::None) * g).cast(dtype)
}

/// GeGLU and a linear layer; see [`geglu_linear`](crate::geglu_linear).
pub fn geglu_linear(x: Tensor<2>, weight: Tensor<2>, precision: Precision) -> Tensor<2> {
    linear(geglu(x), weight, None, precision)
}
