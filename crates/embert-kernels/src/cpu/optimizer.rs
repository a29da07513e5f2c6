//! The optimizer's sweeps on Burn's tensors, in place where nobody else holds them.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::adamw::Scaled;
use super::memory::{floats, tensor};
use super::simd::Cpu;
use crate::{AdamWStep, Moments, Precision};

/// The tensor's memory; a copy where it is but a part of some.
fn primitive(x: Tensor<1>) -> FlexTensor {
    let x = x.try_into_primitive::<Flex>().expect("a tensor of the CPU backend");
    let x = if x.is_contiguous() { x } else { x.to_contiguous() };
    match floats(&x).len() == x.storage::<f32>().len() {
        true => x,
        false => tensor(floats(&x).to_vec(), [floats(&x).len()]),
    }
}

pub(crate) fn adamw(
    values: Tensor<1>,
    gradient: Tensor<1>,
    gradient_scale: Tensor<1>,
    moments: Moments,
    step: &AdamWStep,
) -> (Tensor<1>, Moments) {
    let [mut values, gradient, scale, mut mean, mut squares] =
        [values, gradient, gradient_scale, moments.mean, moments.mean_of_squares].map(primitive);
    let moments = [mean.storage_mut(), squares.storage_mut()];
    let gradient = Scaled { values: floats(&gradient), scale: floats(&scale)[0] };
    super::adamw::step(Cpu::new(Precision::Fp32), values.storage_mut(), gradient, moments, step);
    let [values, mean, mean_of_squares] = [values, mean, squares].map(Tensor::from_primitive::<Flex>);
    (values, Moments { mean, mean_of_squares })
}

pub(crate) fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    let sum = super::adamw::sum_of_squares(Cpu::new(Precision::Fp32), floats(&primitive(x)));
    Tensor::from_primitive::<Flex>(tensor(vec![sum as f32], [1]))
}
