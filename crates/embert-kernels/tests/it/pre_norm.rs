//! Operations of pre-norm encoders on the CPU, forward and backward, against their references in double precision.

use burn::tensor::{DType, Tensor};
use embert_kernels::{DropoutStream, Precision, SequenceLayout, reference};

use crate::compare::{BF16, FP32, assert_close, run};

#[test]
fn rotary_embedding_matches_the_reference() {
    for (lengths, [all_columns, columns, head_size]) in
        [(vec![1], [2, 2, 2]), (vec![3, 70, 1], [33, 30, 10]), (vec![300, 129], [192, 128, 64])]
    {
        let longest = *lengths.iter().max().unwrap();
        for layout in
            [SequenceLayout::packed(lengths.clone()), SequenceLayout::padded(lengths.clone(), longest + 2)]
        {
            for theta in [10_000.0, 160_000.0] {
                let shapes = [[layout.num_tokens(), all_columns]];
                let expected = run(shapes, DType::F64, |[x]| {
                    reference::rotary_embedding(x, &layout, columns, head_size, theta)
                });
                let got = run(shapes, DType::F32, |[x]| {
                    embert_kernels::rotary_embedding(x, &layout, columns, head_size, theta)
                });
                assert_close(&got, &expected, FP32, &format!("{layout:?}, {columns} columns, theta {theta}"));
            }
        }
    }
}

#[test]
fn geglu_matches_the_reference() {
    for [rows, intermediate] in [[1, 1], [7, 33], [130, 96]] {
        let shapes = [[rows, 2 * intermediate]];
        let expected = run(shapes, DType::F64, |[x]| reference::geglu(x.mul_scalar(3.0)));
        let got = run(shapes, DType::F32, |[x]| embert_kernels::geglu(x.mul_scalar(3.0)));
        assert_close(&got, &expected, FP32, &format!("{rows}x{intermediate}"));
    }
}

#[test]
fn geglu_linear_matches_the_reference() {
    for [rows, intermediate, output] in [[1, 1, 1], [7, 33, 5], [130, 96, 40]] {
        let shapes = [[rows, 2 * intermediate], [intermediate, output]];
        let expected = run(shapes, DType::F64, |[x, weight]| {
            reference::geglu_linear(x.mul_scalar(3.0), weight, Precision::Fp32)
        });
        for (precision, tolerance) in [(Precision::Fp32, FP32), (Precision::Bf16, BF16)] {
            let got = run(shapes, DType::F32, |[x, weight]| {
                embert_kernels::geglu_linear(x.mul_scalar(3.0), weight, precision)
            });
            assert_close(
                &got,
                &expected,
                tolerance,
                &format!("{rows}x{intermediate}x{output} {precision:?}"),
            );
        }
    }
}

#[test]
fn add_residual_matches_the_reference() {
    let layout = SequenceLayout::packed(vec![70, 3]);
    for (rate, columns) in [(0.0, 33), (0.1, 33), (0.5, 64)] {
        let site = Some(DropoutStream { seed: 3, step: 1, first_sequence: 0 }.site(2, 2, rate));
        let shapes = [[73, columns]; 2];
        let expected =
            run(shapes, DType::F64, |[x, residual]| reference::add_residual(x, residual, &layout, site));
        let got =
            run(shapes, DType::F32, |[x, residual]| embert_kernels::add_residual(x, residual, &layout, site));
        assert_close(&got, &expected, FP32, &format!("rate {rate}, {columns} columns"));
    }
}

#[test]
fn mean_pooling_matches_the_reference() {
    for layout in [
        SequenceLayout::packed(vec![1]),
        SequenceLayout::packed(vec![70, 1, 300]),
        SequenceLayout::padded(vec![70, 1, 30], 75),
    ] {
        let shapes = [[layout.num_tokens(), 33]];
        let expected = run(shapes, DType::F64, |[x]| reference::mean_pooling(x, &layout));
        let got = run(shapes, DType::F32, |[x]| embert_kernels::mean_pooling(x, &layout));
        assert_close(&got, &expected, FP32, &format!("{layout:?}"));
    }
}

/// Both the rotation and its input are used again, so neither works in place.
#[test]
fn operations_in_place_keep_values_that_are_used_again() {
    let layout = SequenceLayout::packed(vec![5, 2]);
    let expected = run([[7, 8], [7, 8]], DType::F64, |[x, y]| {
        let rotated = reference::rotary_embedding(x.clone(), &layout, 8, 4, 100.0);
        let sum: Tensor<2> = reference::add_residual(rotated.clone(), y.clone(), &layout, None);
        sum * rotated * x * y
    });
    let got = run([[7, 8], [7, 8]], DType::F32, |[x, y]| {
        let rotated = embert_kernels::rotary_embedding(x.clone(), &layout, 8, 4, 100.0);
        let sum = embert_kernels::add_residual(rotated.clone(), y.clone(), &layout, None);
        sum * rotated * x * y
    });
    assert_close(&got, &expected, FP32, "values that are used again");
}
