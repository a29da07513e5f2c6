//! AdamW and the squared norm on GPUs, of one tensor and of many.

use burn::tensor::{DType, Device, Tensor, TensorData};
use embert_kernels::{AdamWParameter, AdamWStep, Moments, adamw_all, sum_of_squares_of};

use super::gpu;
use crate::compare::{FP32, assert_close, values};

/// The lengths of the parameters: more than one launch, with long and short ones.
const LENGTHS: [usize; 11] = [1_000, 1, 5_000, 1_024, 3, 768, 2_049, 12, 1_023, 40_000, 7];

fn vector(length: usize, salt: usize, (device, dtype): (&Device, DType)) -> Tensor<1> {
    let data = TensorData::new(values(length, salt), [length]).convert_dtype(dtype);
    Tensor::from_data(data, (device, dtype))
}

/// Returns the values and the moments of all parameters after two steps. A clone shares the memory of the third
/// parameter, so it must not change.
fn train(on: (&Device, DType)) -> Vec<Vec<f64>> {
    let vectors = |salt| LENGTHS.iter().enumerate().map(move |(n, &length)| vector(length, salt + n, on));
    let mut state = vectors(0)
        .zip(vectors(40).zip(vectors(80)))
        .map(|(values, (mean, squares))| (values, Moments { mean, mean_of_squares: squares.abs() }))
        .collect::<Vec<_>>();
    let shared = state[2].0.clone();
    for t in 1..=2 {
        let parameter = |(n, ((values, moments), gradient))| AdamWParameter {
            values,
            gradient,
            moments,
            step: AdamWStep {
                learning_rate: 1e-3 * (1 + n) as f64,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: if n % 2 == 0 { 0.01 } else { 0.0 },
                step: t,
            },
        };
        let gradients = vectors(100 * t as usize);
        let parameters = state.into_iter().zip(gradients).enumerate().map(parameter).collect();
        state = adamw_all(parameters, Tensor::full([1], 0.3, on));
    }
    let tensors =
        state.into_iter().flat_map(|(values, moments)| [values, moments.mean, moments.mean_of_squares]);
    tensors.chain([shared]).map(|x| x.into_data().iter::<f64>().collect()).collect()
}

#[test]
fn adamw_matches_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let got = train((&gpu, DType::F32));
    assert_close(&got, &train((&Device::flex(), DType::F64)), FP32, "AdamW");
    assert!(got == train((&gpu, DType::F32)), "a second run differs");
}

#[test]
fn sum_of_squares_matches_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let cpu = Device::flex();
    let vectors = |on| {
        let lengths = LENGTHS.iter().cycle().take(70).enumerate();
        lengths.map(|(n, &length)| vector(length, n, on)).collect::<Vec<_>>()
    };
    let sum = |on| sum_of_squares_of(vectors(on)).into_scalar::<f64>();
    let (got, expected) = (sum((&gpu, DType::F32)), sum((&cpu, DType::F64)));
    assert!((got / expected - 1.0).abs() < 1e-6, "{got} is not {expected}");
    assert_eq!(got, sum((&gpu, DType::F32)), "a second run differs");
}
