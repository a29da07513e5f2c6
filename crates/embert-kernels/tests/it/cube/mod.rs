//! GPU kernels, forward and backward, against their references in double precision. A second run must be
//! bit-identical.

mod dropout;
mod embeddings;
mod layer_norm;
mod linear;
mod optimizer;

use std::panic::catch_unwind;
use std::sync::OnceLock;

use burn::backend::{CubeDevice, DispatchDevice};
use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::{
    AttentionOptions, DropoutSite, DropoutStream, GeluApproximation, Precision, SequenceLayout, reference,
};

use crate::compare::{FP32, all_keys, assert_close, values};

/// Returns the first GPU, or software renderer, that computes correctly.
fn gpu() -> Option<Device> {
    static FOUND: OnceLock<Option<Device>> = OnceLock::new();
    let computes = |device: &Device| {
        let one = catch_unwind(|| Tensor::<1>::zeros([1], device).exp().into_data().iter::<f32>().next());
        one.is_ok_and(|one| one == Some(1.0))
    };
    let find = || {
        let devices = catch_unwind(CubeDevice::enumerate_all).unwrap_or_default();
        devices.into_iter().map(|device| Device::from(DispatchDevice::Cube(device))).find(computes)
    };
    let found = FOUND.get_or_init(find).clone();
    if found.is_none() {
        eprintln!("SKIPPED: found neither a working GPU nor a working software renderer");
    }
    found
}

/// Returns the output of an operation and the gradient of Σ c∘output for each input.
fn run<const N: usize>(
    (device, dtype): (&Device, DType),
    shapes: [[usize; 2]; N],
    f: impl Fn([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<Vec<f64>> {
    let device = device.clone().autodiff();
    let tensor = |shape: [usize; 2], salt| {
        let data = TensorData::new(values(shape[0] * shape[1], salt), shape).convert_dtype(dtype);
        Tensor::<2>::from_data(data, (&device, dtype))
    };
    let inputs: [Tensor<2>; N] = std::array::from_fn(|n| tensor(shapes[n], n).require_grad());
    let output = f(inputs.clone());
    let gradients = (output.clone() * tensor(output.dims(), 99)).backward(); // the same gradients as for the sum
    let of = |tensor: Tensor<2>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
    let gradients = inputs.iter().map(|input| of(input.grad(&gradients).expect("a gradient")));
    std::iter::once(of(output)).chain(gradients).collect()
}

/// Runs the kernel twice on the GPU, and its reference in double precision on the CPU.
fn check<const N: usize>(
    what: &str,
    shapes: [[usize; 2]; N],
    kernel: impl Fn([Tensor<2>; N]) -> Tensor<2>,
    reference: impl Fn([Tensor<2>; N]) -> Tensor<2>,
) {
    let Some(gpu) = gpu() else { return };
    let got = run((&gpu, DType::F32), shapes, &kernel);
    assert_close(&got, &run((&Device::flex(), DType::F64), shapes, reference), FP32, what);
    assert!(got == run((&gpu, DType::F32), shapes, kernel), "{what}: a second run differs");
}

fn site(rate: f64) -> Option<DropoutSite> {
    Some(DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, rate))
}

/// Replaces padding rows by zeros, because their values are unspecified.
fn zero_padding(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let sequences = layout.rows().zip(&layout.lengths);
    let mask = sequences.flat_map(|(rows, &length)| (0..rows).map(move |row| f32::from(row < length)));
    let mask = TensorData::new(mask.collect::<Vec<f32>>(), [layout.num_tokens(), 1]);
    let mask = Tensor::<2>::from_data(mask.convert_dtype(x.dtype()), (&x.device(), x.dtype()));
    x * mask
}

fn check_attention(layout: &SequenceLayout, num_heads: usize, d: usize, rate: f64) {
    check_window(layout, num_heads, d, rate, None);
}

fn check_window(layout: &SequenceLayout, num_heads: usize, d: usize, rate: f64, window: Option<usize>) {
    let what = format!("attention of {layout:?}, {num_heads} heads of {d}, {rate}, window {window:?}");
    let options = AttentionOptions { window, ..all_keys(num_heads, site(rate), Precision::Fp32) };
    let without_padding = |output| zero_padding(output, layout);
    check(
        &what,
        [[layout.num_tokens(), 3 * num_heads * d]],
        |[x]| without_padding(embert_kernels::attention(x, None, layout, options)),
        |[x]| without_padding(reference::attention(x, None, layout, options)),
    );
}

#[test]
fn packed_attention_matches_the_reference() {
    for (num_heads, d, rate) in
        [(2, 32, 0.0), (3, 32, 0.1), (2, 64, 0.1), (1, 128, 0.0), (2, 6, 0.1), (1, 5, 0.0)]
    {
        check_attention(&SequenceLayout::packed(vec![5, 1, 70, 33]), num_heads, d, rate);
    }
}

#[test]
fn padded_attention_matches_the_reference() {
    for (num_heads, d, rate) in [(2, 32, 0.1), (2, 64, 0.0)] {
        check_attention(&SequenceLayout::padded(vec![1, 65, 31], 128), num_heads, d, rate);
    }
    check_attention(&SequenceLayout::padded(vec![3, 2], 3), 2, 32, 0.1);
}

/// The windows are a single key, smaller and wider than the rows of a cube, and wider than every sequence.
#[test]
fn attention_in_a_window_matches_the_reference() {
    for (window, rate) in [(0, 0.0), (9, 0.1), (64, 0.0), (100, 0.1), (500, 0.1)] {
        check_window(&SequenceLayout::packed(vec![5, 1, 290, 65]), 2, 32, rate, Some(window));
        check_window(&SequenceLayout::padded(vec![1, 131, 31], 192), 1, 64, rate, Some(window));
    }
}

/// The lengths are smaller than a block of scores, one block, and several.
#[test]
fn attention_with_a_bias_matches_the_reference() {
    for (num_heads, d, rate, window) in [
        (2, 32, 0.1, None),
        (3, 64, 0.0, Some(40)),
        (1, 128, 0.0, None),
        (2, 6, 0.1, Some(9)),
        (1, 5, 0.0, None),
    ] {
        for layout in [
            SequenceLayout::packed(vec![5, 1, 70, 33]),
            SequenceLayout::padded(vec![1, 65, 31, 64], 70),
            SequenceLayout::packed(vec![3]),
        ] {
            let options = AttentionOptions { window, ..all_keys(num_heads, site(rate), Precision::Fp32) };
            check(
                &format!("attention with a bias, {layout:?}, {num_heads} heads of {d}, {rate}, {window:?}"),
                [[layout.num_tokens(), 3 * num_heads * d], [2 * layout.longest() - 1, num_heads]],
                |[x, bias]| zero_padding(embert_kernels::attention(x, Some(bias), &layout, options), &layout),
                |[x, bias]| zero_padding(reference::attention(x, Some(bias), &layout, options), &layout),
            );
        }
    }
}

/// The rows of a cube are one tile and several, and heads have vectors of four, two and one column.
#[test]
fn first_token_attention_matches_the_reference() {
    for (num_heads, d, rate, window) in [
        (2, 32, 0.0, None),
        (3, 64, 0.1, None),
        (1, 128, 0.1, Some(140)),
        (2, 6, 0.1, Some(9)),
        (1, 5, 0.0, Some(0)),
        (2, 32, 0.0, Some(usize::MAX)),
    ] {
        for layout in [
            SequenceLayout::packed(vec![5, 1, 290, 129]),
            SequenceLayout::padded(vec![1, 131, 31], 192),
            SequenceLayout::padded(vec![3, 2], 3),
        ] {
            let options = AttentionOptions { window, ..all_keys(num_heads, site(rate), Precision::Fp32) };
            let what =
                format!("first tokens of {layout:?}, {num_heads} heads of {d}, {rate}, window {window:?}");
            let shapes = [[layout.batch_size(), num_heads * d], [layout.num_tokens(), 2 * num_heads * d]];
            check(
                &what,
                shapes,
                |[query, key_value]| {
                    embert_kernels::first_token_attention(query, key_value, None, &layout, options)
                },
                |[query, key_value]| {
                    reference::first_token_attention(query, key_value, None, &layout, options)
                },
            );
        }
    }
}

#[test]
fn bias_gelu_matches_the_reference() {
    for approximation in [GeluApproximation::None, GeluApproximation::Tanh] {
        check(
            &format!("GELU, {approximation:?}"),
            [[130, 33], [1, 33], [33, 5]],
            |[x, b, w]| {
                let (x, b) = (x.mul_scalar(6.0), Some(b.squeeze_dim(0)));
                embert_kernels::bias_gelu_linear(x, b, w, approximation, Precision::Fp32)
            },
            |[x, b, w]| {
                let (x, b) = (x.mul_scalar(6.0), Some(b.squeeze_dim(0)));
                reference::bias_gelu_linear(x, b, w, approximation, Precision::Fp32)
            },
        );
    }
}

/// The first tokens' attention with a bias uses its reference.
#[test]
fn first_token_attention_with_a_bias_matches_the_reference() {
    let layout = SequenceLayout::padded(vec![2, 65, 31], 70);
    let options = all_keys(2, site(0.1), Precision::Fp32);
    check(
        "first tokens with a bias",
        [[3, 32], [layout.num_tokens(), 2 * 32], [129, 2]],
        |[query, key_value, bias]| {
            embert_kernels::first_token_attention(query, key_value, Some(bias), &layout, options)
        },
        |[query, key_value, bias]| {
            reference::first_token_attention(query, key_value, Some(bias), &layout, options)
        },
    );
}

/// The operations without kernels use their references.
#[test]
fn operations_of_a_pre_norm_encoder_match_the_references() {
    let layout = SequenceLayout::padded(vec![1, 65, 31], 70);
    let options = AttentionOptions { window: Some(9), ..all_keys(2, site(0.1), Precision::Fp32) };
    let rows = layout.num_tokens();
    check(
        "a layer with its norm before the block",
        [[rows, 3 * 32], [rows, 32], [32, 64], [32, 32]],
        |[qkv, x, first, second]| {
            let qkv = embert_kernels::rotary_embedding(qkv, &layout, 2 * 32, 16, 10000.0);
            let y = zero_padding(embert_kernels::attention(qkv, None, &layout, options), &layout);
            let x = embert_kernels::add_residual(y, x, &layout, site(0.1));
            let h = embert_kernels::linear(x, first, None, Precision::Fp32);
            let y = embert_kernels::geglu_linear(h, second, Precision::Fp32);
            embert_kernels::mean_pooling(y, &layout)
        },
        |[qkv, x, first, second]| {
            let qkv = reference::rotary_embedding(qkv, &layout, 2 * 32, 16, 10000.0);
            let y = zero_padding(reference::attention(qkv, None, &layout, options), &layout);
            let x = reference::add_residual(y, x, &layout, site(0.1));
            let h = reference::linear(x, first, None, Precision::Fp32);
            let y = reference::geglu_linear(h, second, Precision::Fp32);
            reference::mean_pooling(y, &layout)
        },
    );
}

/// Heads that are too wide for the kernels use the reference.
#[test]
fn wide_heads_use_the_reference() {
    check_attention(&SequenceLayout::packed(vec![5, 2]), 1, 132, 0.1);
}
