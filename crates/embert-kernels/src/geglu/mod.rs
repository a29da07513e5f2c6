//! GeGLU, the gated feed-forward network: gelu(a) ∘ g for x = [a g] (Shazeer, 2020).

#[cfg(feature = "flex")]
mod cpu;
pub(crate) mod reference;
#[cfg(not(feature = "flex"))]
use reference as cpu;

use burn::tensor::Tensor;

use crate::backend::on_cpu;
use crate::linear::linear;
use crate::precision::Precision;

/// GeGLU: y = gelu(a) ∘ g, with exact GELU, for x = [a g] (Shazeer, 2020).
///
/// # Shapes
/// - `x`: `[num_tokens, 2 · intermediate]`, the columns of a and then those of g
/// - output: `[num_tokens, intermediate]`
///
/// # Panics
/// If the number of columns is odd.
pub fn geglu(x: Tensor<2>) -> Tensor<2> {
    assert_eq!(x.dims()[1] % 2, 0, "x must have as many columns for the gate as for the activation");
    if on_cpu(&x) { cpu::geglu(x) } else { reference::geglu(x) }
}

/// GeGLU and a linear layer: y = (gelu(a) ∘ g)·W for x = [a g].
///
/// On the CPU, the backward pass keeps `x` and computes gelu(a) ∘ g again.
///
/// # Shapes
/// - `x`: `[num_tokens, 2 · intermediate]`, the columns of a and then those of g
/// - `weight` (W): `[intermediate, hidden]`
/// - output: `[num_tokens, hidden]`
///
/// # Panics
/// If the shapes do not match.
pub fn geglu_linear(x: Tensor<2>, weight: Tensor<2>, precision: Precision) -> Tensor<2> {
    assert_eq!(x.dims()[1], 2 * weight.dims()[0], "x must have two columns for each row of the weight");
    if on_cpu(&x) {
        return cpu::geglu_linear(x, weight, precision);
    }
    linear(geglu(x), weight, None, precision)
}
