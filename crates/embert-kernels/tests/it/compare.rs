//! Runs an operation forward and backward, and compares results with the reference in double precision.

use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::{AttentionOptions, DropoutSite, Precision};

/// Returns pseudorandom values between -1 and 1.
pub(crate) fn values(len: usize, salt: usize) -> Vec<f64> {
    let mut state = salt as u64 * 0x9e37 + 1;
    let next = move || {
        state = embert_kernels::mix64(state);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(len).collect()
}

pub(crate) fn tensor(shape: [usize; 2], salt: usize, dtype: DType) -> Tensor<2> {
    let data = TensorData::new(values(shape[0] * shape[1], salt), shape).convert_dtype(dtype);
    Tensor::<2>::from_data(data, (&Device::flex().autodiff(), dtype)).require_grad()
}

/// Returns the settings of attention to all keys.
pub(crate) fn all_keys(
    num_heads: usize,
    dropout: Option<DropoutSite>,
    precision: Precision,
) -> AttentionOptions {
    AttentionOptions { num_heads, window: None, dropout, precision }
}

/// Returns the output of an operation and the gradient of Σ c∘output for each input, as f64.
pub(crate) fn run<const N: usize>(
    shapes: [[usize; 2]; N],
    dtype: DType,
    f: impl Fn([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<Vec<f64>> {
    let inputs: [Tensor<2>; N] = std::array::from_fn(|n| tensor(shapes[n], n, dtype));
    let output = f(inputs.clone());
    let [rows, columns] = output.dims();
    let factors = tensor([rows, columns], 99, dtype).detach();
    let gradients = (output.clone() * factors).sum().backward();
    let of = |tensor: Tensor<2>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
    let gradients = inputs.iter().map(|input| of(input.grad(&gradients).expect("a gradient")));
    std::iter::once(of(output)).chain(gradients).collect()
}

/// Asserts that two lists of values differ by at most `tolerance` times the largest absolute value.
pub(crate) fn assert_close(got: &[Vec<f64>], expected: &[Vec<f64>], tolerance: f64, what: &str) {
    for (which, (got, expected)) in got.iter().zip(expected).enumerate() {
        let largest = expected.iter().fold(1e-30f64, |largest, value| largest.max(value.abs()));
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            let error = (got - expected).abs() / largest;
            assert!(
                error <= tolerance,
                "{what}, value {which} (0 is the output), element {i}: {got} is not {expected}"
            );
        }
    }
}

/// The tolerance of fp32 results.
pub(crate) const FP32: f64 = 1e-5;
/// The tolerance of bf16 results: bf16 has 8 significant bits, and the errors of many products partly cancel.
pub(crate) const BF16: f64 = 2e-2;
