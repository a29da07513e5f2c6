//! Attention on the CPU, forward and backward, against its reference in double precision, on odd shapes.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use embert_kernels::{AttentionOptions, DropoutStream, Precision, SequenceLayout, reference};

use crate::compare::{BF16, FP32, all_keys, assert_close, run, tensor};

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
                let options = all_keys(3, site, Precision::Fp32);
                reference::first_token_attention(query.mul_scalar(3.0), key_value, None, &layout, options)
            });
            for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                let got = run(shapes, DType::F32, |[query, key_value]| {
                    let (query, options) = (query.mul_scalar(3.0), all_keys(3, site, precision));
                    embert_kernels::first_token_attention(query, key_value, None, &layout, options)
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
    let options = all_keys(2, site, Precision::Fp32);
    let all = embert_kernels::attention(qkv.clone(), None, &layout, options);
    let (query, key_value) = (qkv.clone().narrow(1, 0, 32).select(0, starts.clone()), qkv.narrow(1, 32, 64));
    let first = embert_kernels::first_token_attention(query, key_value, None, &layout, options);
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
                    let options = all_keys(num_heads, Some(site), Precision::Fp32);
                    reference::attention(qkv.mul_scalar(3.0), None, &layout, options)
                });
                for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                    let got = run(shapes, DType::F32, |[qkv]| {
                        let (qkv, options) =
                            (qkv.mul_scalar(3.0), all_keys(num_heads, Some(site), precision));
                        embert_kernels::attention(qkv, None, &layout, options)
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
        embert_kernels::attention(qkv, None, &layout, all_keys(2, None, Precision::Fp32))
    });
    for (sequence, length) in [5, 1, 7].into_iter().enumerate() {
        let padding = (sequence * 9 + length)..(sequence + 1) * 9;
        assert!(got[0][padding.start * 8..padding.end * 8].iter().all(|&value| value == 0.0));
        assert!(got[1][padding.start * 24..padding.end * 24].iter().all(|&value| value == 0.0));
    }
}

/// The windows are smaller than a tile, not a multiple of a panel, wider than a tile, and wider than a sequence.
#[test]
fn attention_in_a_window_matches_the_reference() {
    for window in [0, 1, 13, 64, 300] {
        for (lengths, rate) in [(&[1][..], 0.0), (&[33, 7, 64, 1, 129], 0.2), (&[301, 50], 0.2)] {
            let dropout = Some(DropoutStream { seed: 7, step: 3, first_sequence: 0 }.site(1, 0, rate));
            let longest = *lengths.iter().max().unwrap();
            for layout in [
                SequenceLayout::packed(lengths.to_vec()),
                SequenceLayout::padded(lengths.to_vec(), longest + 5),
            ] {
                let options =
                    |precision| AttentionOptions { num_heads: 2, window: Some(window), dropout, precision };
                let shapes = [[layout.num_tokens(), 3 * 40]];
                let expected = run(shapes, DType::F64, |[qkv]| {
                    let output =
                        reference::attention(qkv.mul_scalar(3.0), None, &layout, options(Precision::Fp32));
                    zero_padding(output, &layout)
                });
                for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                    let got = run(shapes, DType::F32, |[qkv]| {
                        let output =
                            embert_kernels::attention(qkv.mul_scalar(3.0), None, &layout, options(precision));
                        zero_padding(output, &layout)
                    });
                    let what = format!("window {window}, {layout:?}, rate {rate}, {precision:?}");
                    assert_close(&got, &expected, tolerance, &what);
                }
            }
        }
    }
}

#[test]
fn first_token_attention_in_a_window_equals_the_rows_of_attention() {
    let layout = SequenceLayout::packed(vec![33, 1, 70]);
    let dropout = Some(DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, 0.1));
    let options = AttentionOptions { num_heads: 2, window: Some(9), dropout, precision: Precision::Fp32 };
    let starts = Tensor::<1, Int>::from_data(TensorData::from([0, 33, 34]), &Device::flex());
    let gradients = |first_only| {
        let qkv = tensor([104, 96], 1, DType::F32);
        let output = if first_only {
            let query = qkv.clone().narrow(1, 0, 32).select(0, starts.clone());
            let key_value = qkv.clone().narrow(1, 32, 64);
            embert_kernels::first_token_attention(query, key_value, None, &layout, options)
        } else {
            embert_kernels::attention(qkv.clone(), None, &layout, options).select(0, starts.clone())
        };
        let gradients = output.clone().powi_scalar(2).sum().backward();
        let of = |tensor: Tensor<2>| tensor.into_data().iter::<f64>().collect::<Vec<_>>();
        vec![of(output), of(qkv.grad(&gradients).unwrap())]
    };
    assert_close(&gradients(true), &gradients(false), FP32, "first tokens");
}

#[test]
fn a_window_of_the_complete_sequence_changes_no_bit() {
    let layout = SequenceLayout::packed(vec![33, 1, 70]);
    let results = |window| {
        let options = AttentionOptions { window, ..all_keys(2, None, Precision::Fp32) };
        run([[104, 96]], DType::F32, |[qkv]| embert_kernels::attention(qkv, None, &layout, options))
    };
    assert_eq!(results(Some(69)), results(None));
    assert_eq!(results(Some(usize::MAX)), results(None));
    assert_ne!(results(Some(68)), results(None));
}

/// The lengths are smaller than a tile, not a multiple of a panel, and several tiles.
#[test]
fn attention_with_a_bias_matches_the_reference() {
    for (lengths, window, rate) in [
        (&[2][..], None, 0.0),
        (&[1, 2, 3], None, 0.2),
        (&[33, 7, 64, 1, 129], None, 0.2),
        (&[301, 50], None, 0.0),
        (&[50, 70], Some(13), 0.2),
    ] {
        let dropout = Some(DropoutStream { seed: 7, step: 3, first_sequence: 0 }.site(1, 0, rate));
        let longest = *lengths.iter().max().unwrap();
        for layout in
            [SequenceLayout::packed(lengths.to_vec()), SequenceLayout::padded(lengths.to_vec(), longest + 5)]
        {
            let options = |precision| AttentionOptions { num_heads: 2, window, dropout, precision };
            let shapes = [[layout.num_tokens(), 3 * 40], [2 * longest - 1, 2]];
            let expected = run(shapes, DType::F64, |[qkv, bias]| {
                let (qkv, options) = (qkv.mul_scalar(2.0), options(Precision::Fp32));
                zero_padding(reference::attention(qkv, Some(bias.mul_scalar(2.0)), &layout, options), &layout)
            });
            for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
                let got = run(shapes, DType::F32, |[qkv, bias]| {
                    let (qkv, bias) = (qkv.mul_scalar(2.0), bias.mul_scalar(2.0));
                    let output = embert_kernels::attention(qkv, Some(bias), &layout, options(precision));
                    zero_padding(output, &layout)
                });
                let what = format!("{layout:?}, window {window:?}, rate {rate}, {precision:?}");
                assert_close(&got, &expected, tolerance, &what);
            }
        }
    }
}

/// Only the first queries are needed, so the bias has gradients only for their distances.
#[test]
fn first_token_attention_with_a_bias_matches_the_reference() {
    let lengths = vec![33, 7, 64, 1, 129];
    let site = Some(DropoutStream { seed: 7, step: 3, first_sequence: 2 }.site(1, 0, 0.2));
    for layout in [SequenceLayout::packed(lengths.clone()), SequenceLayout::padded(lengths.clone(), 131)] {
        let shapes = [[5, 60], [layout.num_tokens(), 120], [257, 3]];
        let expected = run(shapes, DType::F64, |[query, key_value, bias]| {
            let options = all_keys(3, site, Precision::Fp32);
            reference::first_token_attention(query, key_value, Some(bias), &layout, options)
        });
        for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
            let got = run(shapes, DType::F32, |[query, key_value, bias]| {
                let options = all_keys(3, site, precision);
                embert_kernels::first_token_attention(query, key_value, Some(bias), &layout, options)
            });
            assert_close(&got, &expected, tolerance, &format!("{layout:?}, {precision:?}"));
            assert!(got[3][129 * 3..].iter().all(|&gradient| gradient == 0.0));
        }
    }
}

/// A large negative bias at all other distances leaves the value of the previous token.
#[test]
fn a_bias_belongs_to_the_distance_from_the_key_to_the_query() {
    let layout = SequenceLayout::packed(vec![3, 4]);
    let bias = [-1e9, -1e9, -1e9, -1e9, 0.0, -1e9, -1e9]; // distance 1 is row 1 + 4 - 1
    let bias = Tensor::<2>::from_data(TensorData::new(bias.to_vec(), [7, 1]), &Device::flex());
    let qkv = tensor([7, 6], 1, DType::F32).inner();
    let output =
        embert_kernels::attention(qkv.clone(), Some(bias), &layout, all_keys(1, None, Precision::Fp32));
    let values = qkv.narrow(1, 4, 2).into_data().iter::<f64>().collect::<Vec<_>>();
    let output = output.into_data().iter::<f64>().collect::<Vec<_>>();
    for token in [1, 2, 4, 5, 6] {
        assert_eq!(output[2 * token..2 * token + 2], values[2 * token - 2..2 * token], "token {token}");
    }
}

/// The gradient of a padding row is 0 then. The values of these rows are unspecified.
fn zero_padding(x: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let sequences = layout.rows().zip(&layout.lengths);
    let mask = sequences.flat_map(|(rows, &length)| (0..rows).map(move |row| f64::from(row < length)));
    let mask = TensorData::new(mask.collect::<Vec<_>>(), [layout.num_tokens(), 1]).convert_dtype(x.dtype());
    let mask = Tensor::<2>::from_data(mask, (&x.device(), x.dtype()));
    x * mask
}
