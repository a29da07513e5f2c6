//! bf16 and fp16 references, forward and backward: they differ from fp32 only by the rounding of the
//! operands.

use burn::tensor::{DType, Tensor};
use embert_kernels::{Precision, SequenceLayout, reference};

use crate::compare::{BF16, FP32, all_keys, assert_close, run};

/// The tolerance of fp16 results: fp16 has 11 significant bits.
const FP16: f64 = BF16 / 8.0;

#[track_caller]
fn check<const N: usize>(
    shapes: [[usize; 2]; N],
    operation: impl Fn([Tensor<2>; N], Precision) -> Tensor<2>,
) {
    let expected = run(shapes, DType::F64, |inputs| operation(inputs, Precision::Fp32));
    let mut outputs = vec![];
    for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Fp16, FP16), (Precision::Bf16, BF16)]
    {
        let found = run(shapes, DType::F32, |inputs| operation(inputs, precision));
        assert_close(&found, &expected, tolerance, &format!("{precision:?}"));
        assert!(!outputs.contains(&found[0]), "{precision:?} must round the operands");
        outputs.push(found[0].clone());
    }
}

#[test]
fn linear_rounds_its_operands() {
    check([[7, 24], [24, 10]], |[x, weight], precision| reference::linear(x, weight, None, precision));
}

#[test]
fn attention_rounds_its_operands() {
    let layout = SequenceLayout::packed(vec![5, 1, 9]);
    check([[15, 48]], |[qkv], precision| {
        reference::attention(qkv, None, &layout, all_keys(2, None, precision))
    });
}

#[test]
fn first_token_attention_rounds_its_operands() {
    let layout = SequenceLayout::packed(vec![5, 1, 9]);
    check([[3, 16], [15, 32]], |[query, key_value], precision| {
        reference::first_token_attention(query, key_value, None, &layout, all_keys(2, None, precision))
    });
}
