//! Gradients of the references against central differences, (f(x + h) − f(x − h)) / 2h, in double precision
//! on tiny shapes.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use embert_kernels::{
    AttentionOptions, GeluApproximation, Precision, RelativePositions, RelativeProjections, SequenceLayout,
    reference,
};

use crate::compare::all_keys;

const H: f64 = 1e-5;

/// Returns pseudorandom values between -1 and 1.
fn values(len: usize, salt: usize) -> Vec<f64> {
    (0..len).map(|i| ((((i + salt * 101) * 7919) % 1013) as f64 / 506.0) - 1.0).collect()
}

fn tensor(values: &[f64], shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F64))
}

/// Compares the gradient of Σ c∘f(x₀, x₁, ...) with central differences, for every element of every input.
fn check<const N: usize>(shapes: [[usize; 2]; N], f: impl Fn([Tensor<2>; N]) -> Tensor<2>) {
    let device = Device::flex();
    let inputs: [Vec<f64>; N] = std::array::from_fn(|n| values(shapes[n][0] * shapes[n][1], n));
    let weighted = |y: Tensor<2>| {
        let [rows, columns] = y.dims();
        (y.clone() * tensor(&values(rows * columns, 99), [rows, columns], &y.device())).sum()
    };
    let loss = |inputs: &[Vec<f64>; N]| {
        let tensors = std::array::from_fn(|n| tensor(&inputs[n], shapes[n], &device));
        weighted(f(tensors)).into_scalar::<f64>()
    };
    let tracked: [Tensor<2>; N] =
        std::array::from_fn(|n| tensor(&inputs[n], shapes[n], &device.clone().autodiff()).require_grad());
    let gradients = weighted(f(tracked.clone())).backward();
    for n in 0..N {
        let gradient = tracked[n].grad(&gradients).expect("a gradient for each input");
        let gradient = gradient.into_data().try_to_vec::<f64>().unwrap();
        for (i, &got) in gradient.iter().enumerate() {
            let moved = |h| {
                let mut inputs = inputs.clone();
                inputs[n][i] += h;
                loss(&inputs)
            };
            let expected = (moved(H) - moved(-H)) / (2.0 * H);
            assert!((got - expected).abs() < 1e-7, "input {n}, element {i}: {got} is not {expected}");
        }
    }
}

#[test]
fn gradient_of_linear() {
    check([[3, 4], [4, 5], [1, 5]], |[x, w, b]| {
        reference::linear(x, w, Some(b.squeeze_dim(0)), Precision::Fp32)
    });
}

#[test]
fn gradient_of_bias_gelu() {
    for approximation in [GeluApproximation::None, GeluApproximation::Tanh] {
        check([[5, 7], [1, 7]], |[x, b]| {
            reference::bias_gelu(x.mul_scalar(3.0), Some(b.squeeze_dim(0)), approximation)
        });
    }
}

#[test]
fn gradient_of_layer_norm() {
    let epsilon = 1e-12;
    check([[4, 6], [1, 6], [1, 6]], |[x, w, b]| {
        reference::layer_norm(x, w.squeeze_dim(0), Some(b.squeeze_dim(0)), epsilon)
    });
}

#[test]
fn gradient_of_add_layer_norm() {
    let layout = SequenceLayout::packed(vec![1, 3]);
    check([[4, 6], [4, 6], [1, 6], [1, 6], [1, 6]], |[x, r, c, w, b]| {
        let [c, b] = [c, b].map(|bias| Some(bias.squeeze_dim(0)));
        reference::add_layer_norm([x, r], c, w.squeeze_dim(0), b, 1e-12, &layout, None)
    });
}

#[test]
fn gradient_of_packed_attention() {
    let layout = SequenceLayout::packed(vec![3, 1, 2]);
    check([[6, 12]], |[qkv]| reference::attention(qkv, None, &layout, all_keys(2, None, Precision::Fp32)));
}

#[test]
fn gradient_of_padded_attention() {
    let layout = SequenceLayout::padded(vec![3, 1], 4);
    check([[8, 12]], |[qkv]| reference::attention(qkv, None, &layout, all_keys(1, None, Precision::Fp32)));
}

#[test]
fn gradient_of_first_token_attention() {
    let layout = SequenceLayout::packed(vec![3, 1, 2]);
    check([[3, 4], [6, 8]], |[query, key_value]| {
        reference::first_token_attention(query, key_value, None, &layout, all_keys(2, None, Precision::Fp32))
    });
}

#[test]
fn gradient_of_attention_in_a_window() {
    let options = AttentionOptions { window: Some(1), ..all_keys(2, None, Precision::Fp32) };
    for layout in [SequenceLayout::packed(vec![5, 1]), SequenceLayout::padded(vec![2, 1], 3)] {
        check([[6, 12]], |[qkv]| reference::attention(qkv, None, &layout, options));
    }
}

#[test]
fn gradient_of_attention_with_a_bias() {
    for layout in [SequenceLayout::packed(vec![2, 1, 3]), SequenceLayout::padded(vec![2, 1], 3)] {
        let distances = 2 * layout.longest() - 1;
        check([[6, 12], [distances, 2]], |[qkv, bias]| {
            reference::attention(qkv, Some(bias), &layout, all_keys(2, None, Precision::Fp32))
        });
    }
    let layout = SequenceLayout::packed(vec![2, 1, 3]);
    check([[3, 4], [6, 8], [5, 2]], |[query, key_value, bias]| {
        let options = all_keys(2, None, Precision::Fp32);
        reference::first_token_attention(query, key_value, Some(bias), &layout, options)
    });
}

#[test]
fn gradient_of_rotary_embedding() {
    let layout = SequenceLayout::packed(vec![3, 1]);
    check([[4, 10]], |[x]| reference::rotary_embedding(x, &layout, 8, 4, 10.0));
}

#[test]
fn gradient_of_geglu() {
    check([[5, 8]], |[x]| reference::geglu(x.mul_scalar(3.0)));
}

#[test]
fn gradient_of_add_residual() {
    let layout = SequenceLayout::packed(vec![1, 3]);
    check([[4, 6], [4, 6]], |[x, residual]| reference::add_residual(x, residual, &layout, None));
}

#[test]
fn gradient_of_mean_pooling() {
    for layout in [SequenceLayout::packed(vec![5, 1]), SequenceLayout::padded(vec![2, 1], 3)] {
        check([[6, 4]], |[x]| reference::mean_pooling(x, &layout));
    }
}

#[test]
fn gradient_of_disentangled_attention() {
    let positions = RelativePositions { position_buckets: Some(4), max_relative_positions: 6 };
    let layout = SequenceLayout::packed(vec![5, 1, 2]);
    check([[8, 12], [8, 4], [8, 4]], |[qkv, key, query]| {
        let relative = RelativeProjections { key: Some(key), query: Some(query), positions };
        reference::disentangled_attention(qkv, relative, &layout, all_keys(2, None, Precision::Fp32))
    });
}

#[test]
fn gradient_of_add_low_rank() {
    check([[3, 6], [3, 5], [5, 2], [2, 4]], |[y, x, a, b]| {
        reference::add_low_rank(y, x, [a, b], 3.0, 1, None, None)
    });
}

#[test]
fn gradient_of_cross_entropy() {
    check([[3, 4]], |[x]| {
        let targets = Tensor::from_data(TensorData::new(values(12, 5), [3, 4]), (&x.device(), DType::F64));
        reference::cross_entropy_sum(x, targets).unsqueeze()
    });
}

#[test]
fn gradient_of_embeddings() {
    let layout = SequenceLayout::packed(vec![3, 2]);
    for layout in [layout.clone(), layout.clone().with_first_segments(vec![1, 2])] {
        check([[5, 3], [4, 3], [2, 3]], |[word, position, token_type]| {
            let ids = Tensor::<1, Int>::from_data([4, 0, 4, 1, 4], &word.device());
            reference::embeddings(ids, &layout, word, position, 1, Some(token_type))
        });
    }
    check([[5, 3], [4, 3]], |[word, position]| {
        let ids = Tensor::<1, Int>::from_data([4, 0, 4, 1, 4], &word.device());
        reference::embeddings(ids, &layout, word, position, 0, None)
    });
}
