//! Products on operands of half the bits are those of fp32 but for the operands' rounding, forward and backward.

use burn::tensor::{DType, Tensor};
use embert_kernels::{Precision, SequenceLayout, reference};

use crate::truth::{BF16, FP32, assert_close, run};

/// fp16 keeps 11 bits.
const FP16: f64 = BF16 / 8.0;

#[track_caller]
fn check<const N: usize>(
    shapes: [[usize; 2]; N],
    operation: impl Fn([Tensor<2>; N], Precision) -> Tensor<2>,
) {
    let truth = run(shapes, DType::F64, |inputs| operation(inputs, Precision::Fp32));
    let mut outputs = vec![];
    for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Fp16, FP16), (Precision::Bf16, BF16)]
    {
        let found = run(shapes, DType::F32, |inputs| operation(inputs, precision));
        assert_close(&found, &truth, tolerance, &format!("{precision:?}"));
        assert!(!outputs.contains(&found[0]), "{precision:?} rounds nothing");
        outputs.push(found[0].clone());
    }
}

#[test]
fn linear() {
    check([[7, 24], [24, 10]], |[x, weight], precision| reference::linear(x, weight, None, precision));
}

#[test]
fn attention() {
    let layout = SequenceLayout::packed(vec![5, 1, 9]);
    check([[15, 48]], |[qkv], precision| reference::attention(qkv, &layout, 2, None, precision));
}

#[test]
fn first_token_attention() {
    let layout = SequenceLayout::packed(vec![5, 1, 9]);
    check([[3, 16], [15, 32]], |[query, key_value], precision| {
        reference::first_token_attention(query, key_value, &layout, 2, None, precision)
    });
}
