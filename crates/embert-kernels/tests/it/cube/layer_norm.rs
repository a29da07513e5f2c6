//! Layer normalization on GPUs, with and without residual, dropout and frozen weights.

use burn::tensor::{DType, Tensor};
use embert_kernels::{SequenceLayout, reference};

use super::{check, gpu, run, site};
use crate::compare::{BF16, FP32, assert_close};

fn check_add_layer_norm(layout: &SequenceLayout, hidden: usize, rate: f64) {
    let rows = [layout.num_tokens(), hidden];
    let vector = |x: Tensor<2>| x.squeeze_dim::<1>(0);
    check(
        &format!("add_layer_norm of {layout:?}, {hidden} columns, {rate}"),
        [rows, rows, [1, hidden], [1, hidden], [1, hidden]],
        |[x, r, c, w, b]| {
            let [c, b] = [c, b].map(|bias| Some(vector(bias)));
            embert_kernels::add_layer_norm([x, r], c, vector(w), b, 1e-12, layout, site(rate))
        },
        |[x, r, c, w, b]| {
            let [c, b] = [c, b].map(|bias| Some(vector(bias)));
            reference::add_layer_norm([x, r], c, vector(w), b, 1e-12, layout, site(rate))
        },
    );
}

#[test]
fn add_layer_norm_matches_the_reference() {
    for (hidden, rate) in [(96, 0.1), (384, 0.0), (7, 0.1)] {
        check_add_layer_norm(&SequenceLayout::packed(vec![5, 1, 30]), hidden, rate);
    }
    check_add_layer_norm(&SequenceLayout::padded(vec![1, 4], 6), 130, 0.1);
    check_add_layer_norm(&SequenceLayout::packed(vec![300, 1000]), 12, 0.1); // several rows per team
    check_add_layer_norm(&SequenceLayout::packed(vec![9, 3]), 1100, 0.1); // no plane in the backward pass
}

#[test]
fn layer_norm_matches_the_reference() {
    let vector = |x: Tensor<2>| x.squeeze_dim::<1>(0);
    for [rows, hidden] in [[1, 96], [37, 384], [3, 1]] {
        check(
            &format!("layer_norm of {rows}x{hidden}"),
            [[rows, hidden], [1, hidden], [1, hidden]],
            |[x, w, b]| embert_kernels::layer_norm(x, vector(w), Some(vector(b)), 1e-5),
            |[x, w, b]| reference::layer_norm(x, vector(w), Some(vector(b)), 1e-5),
        );
    }
}

/// If one tensor is both x and residual, it gets the sum of both gradients. The weights are frozen.
#[test]
fn gradients_of_two_uses_add_up() {
    let layout = SequenceLayout::packed(vec![2, 3]);
    let ones = |x: &Tensor<2>| Tensor::<1>::ones([24], (&x.device(), x.dtype()));
    check(
        "x and residual are one tensor",
        [[5, 24]],
        |[x]| {
            embert_kernels::add_layer_norm(
                [x.clone(), x.clone()],
                None,
                ones(&x),
                Some(ones(&x)),
                1e-5,
                &layout,
                site(0.1),
            )
        },
        |[x]| {
            reference::add_layer_norm(
                [x.clone(), x.clone()],
                None,
                ones(&x),
                Some(ones(&x)),
                1e-5,
                &layout,
                site(0.1),
            )
        },
    );
}

/// Frozen weights get no gradient. The gradients of x and residual are the same.
#[test]
fn frozen_weights_change_no_other_gradient() {
    let layout = SequenceLayout::packed(vec![20, 9]);
    let shapes = [[29, 24], [29, 24], [1, 24]];
    let Some(gpu) = gpu() else { return };
    let gradients = |is_frozen: bool| {
        run((&gpu, DType::F32), shapes, |[x, residual, weight]| {
            let vector = weight.clone().squeeze_dim::<1>(0);
            let vector = if is_frozen { vector.detach() } else { vector };
            let y =
                embert_kernels::add_layer_norm([x, residual], None, vector, None, 1e-5, &layout, site(0.1));
            y + weight * 0.0 // the weight has a gradient in any case
        })
    };
    assert_close(&gradients(true)[..3], &gradients(false)[..3], FP32, "frozen weights");
}

/// bf16 and fp16 inputs have gradients of their type. The output is fp32.
#[test]
fn half_precision_inputs_match_the_reference() {
    let Some(gpu) = gpu() else { return };
    let layout = SequenceLayout::packed(vec![20, 9]);
    let shapes = [[29, 24], [29, 24], [1, 24], [1, 24]];
    for half in [DType::BF16, DType::F16] {
        if !gpu.supports_dtype(half) {
            continue;
        }
        let normalize = |[x, residual, x_bias, weight]: [Tensor<2>; 4]| {
            let x = if x.dtype() == DType::F32 { x.cast(half) } else { x };
            let (vector, x_bias) = (weight.squeeze_dim::<1>(0), Some(x_bias.squeeze_dim(0)));
            if residual.dtype() == DType::F32 {
                embert_kernels::add_layer_norm([x, residual], x_bias, vector, None, 1e-5, &layout, site(0.1))
            } else {
                reference::add_layer_norm([x, residual], x_bias, vector, None, 1e-5, &layout, site(0.1))
            }
        };
        let got = run((&gpu, DType::F32), shapes, normalize);
        let expected = run((&burn::tensor::Device::flex(), DType::F64), shapes, normalize);
        assert_close(&got, &expected, BF16, &format!("{half:?}"));
    }
}
