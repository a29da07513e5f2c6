//! Attention on the CPU, forward and backward, against its reference in double precision, on odd shapes.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, Precision, SequenceLayout, reference};

use crate::compare::{BF16, FP32, assert_close, run, tensor};

const LENGTHS: [&[usize]; 5] = [&[1], &[512], &[1, 2, 3], &[33, 7, 64, 1, 129], &[50, 50]];

#[test]
fn first_token_attention_matches_the_reference() {
    // Skips the lengths [1]: the gradient of a query with one key is 0, so a relative error is undefined.
    for (lengths, rate) in LENGTHS[1..].iter().flat_map(|&lengths| [(lengths, 0.0), (lengths, 0.2)]) {
        let site = Some(DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, rate));
        for layout in [
            SequenceLayout::packed(lengths.to_vec()),
            SequenceLayout::padded(lengths.to_vec(), 3 + lengths.iter().max().unwrap()),
        ] {
            let shapes = [[lengths.len(), 60], [layout.num_tokens(), 120]];
            let expected = run(shapes, DType::F64, |[query, key_value]| {
                reference::first_token_attention(
                    query.mul_scalar(3.0),
                    key_value,
                    &layout,
                    3,
                    site,
                    Precision::Fp32,
                )
            });
            for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                let got = run(shapes, DType::F32, |[query, key_value]| {
                    let query = query.mul_scalar(3.0);
                    embert_kernels::first_token_attention(query, key_value, &layout, 3, site, precision)
                });
                assert_close(&got, &expected, tolerance, &format!("{layout:?}, rate {rate}, {precision:?}"));
            }
        }
    }
}

/// Both operations see the same query, keys, values and mask.
#[test]
fn first_token_attention_equals_the_rows_of_attention() {
    let layout = SequenceLayout::packed(vec![33, 1, 70]);
    let site = Some(DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, 0.1));
    let starts = Tensor::<1, Int>::from_data(TensorData::from([0, 33, 34]), &Device::flex());
    let qkv = tensor([104, 96], 1, DType::F32).inner();
    let all = embert_kernels::attention(qkv.clone(), &layout, 2, site, Precision::Fp32);
    let (query, key_value) = (qkv.clone().narrow(1, 0, 32).select(0, starts.clone()), qkv.narrow(1, 32, 64));
    let first = embert_kernels::first_token_attention(query, key_value, &layout, 2, site, Precision::Fp32);
    assert_eq!(first.into_data(), all.select(0, starts).into_data());
}

#[test]
fn attention_matches_the_reference() {
    for lengths in LENGTHS {
        for (num_heads, width) in [(1, 32), (2, 64), (3, 20)] {
            for rate in [0.0, 0.2] {
                let site = DropoutStream { seed: 7, step: 3, first_sequence: 0 }.site(1, 0, rate);
                let layout = SequenceLayout::packed(lengths.to_vec());
                let shapes = [[layout.num_tokens(), 3 * num_heads * width]];
                let expected = run(shapes, DType::F64, |[qkv]| {
                    reference::attention(qkv.mul_scalar(3.0), &layout, num_heads, Some(site), Precision::Fp32)
                });
                for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                    let got = run(shapes, DType::F32, |[qkv]| {
                        let qkv = qkv.mul_scalar(3.0);
                        embert_kernels::attention(qkv, &layout, num_heads, Some(site), precision)
                    });
                    let what =
                        format!("{lengths:?}, {num_heads} heads of {width}, rate {rate}, {precision:?}");
                    assert_close(&got, &expected, tolerance, &what);
                }
            }
        }
    }
}

#[test]
fn padding_rows_have_zero_output_and_zero_gradient() {
    let layout = SequenceLayout::padded(vec![5, 1, 7], 9);
    let got = run([[27, 24]], DType::F32, |[qkv]| {
        embert_kernels::attention(qkv, &layout, 2, None, Precision::Fp32)
    });
    for (sequence, length) in [5, 1, 7].into_iter().enumerate() {
        let padding = (sequence * 9 + length)..(sequence + 1) * 9;
        assert!(got[0][padding.start * 8..padding.end * 8].iter().all(|&value| value == 0.0));
        assert!(got[1][padding.start * 24..padding.end * 24].iter().all(|&value| value == 0.0));
    }
}
