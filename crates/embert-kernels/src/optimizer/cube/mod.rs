//! The AdamW update and the squared norm on GPUs, for many tensors in one launch.

mod adamw;
mod launch;
mod squares;

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, DispatchKindConversion, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor};

use super::step::{AdamWParameter, AdamWStep, Moments};
use crate::cube::list_op::list_op;

/// Updates all parameters. A tensor is updated in place if no other tensor shares its memory.
pub(super) fn adamw_all(
    parameters: Vec<AdamWParameter>,
    gradient_scale: Tensor<1>,
) -> Vec<(Tensor<1>, Moments)> {
    let steps = parameters.iter().map(|parameter| parameter.step).collect::<Vec<AdamWStep>>();
    let tensors = parameters.into_iter().flat_map(|AdamWParameter { values, gradient, moments, .. }| {
        [values, gradient, moments.mean, moments.mean_of_squares].map(primitive)
    });
    let inputs = std::iter::once(primitive(gradient_scale)).chain(tensors).collect::<Vec<_>>();
    let specs = inputs[1..]
        .chunks_exact(launch::TENSORS)
        .flat_map(|tensors| [0, 2, 3].map(|i| TensorSpec::new(tensors[i].shape(), DType::F32)));
    let specs = specs.collect::<Vec<_>>();
    let outputs = list_op("adamw", inputs, &specs, move |tensors| launch::adamw(tensors, &steps));
    let mut outputs = outputs.into_iter().map(tensor);
    let mut next = || outputs.next().expect("three outputs for each parameter");
    let results = (0..specs.len() / 3).map(|_| (next(), Moments { mean: next(), mean_of_squares: next() }));
    results.collect()
}

/// Returns Σ x² over all elements of all tensors, `[1]`.
pub(super) fn sum_of_squares_of(tensors: Vec<Tensor<1>>) -> Tensor<1> {
    let inputs = tensors.into_iter().map(primitive).collect();
    let spec = TensorSpec::new(Shape::from([1]), DType::F32);
    let mut outputs =
        list_op("sum_of_squares", inputs, &[spec], |tensors| vec![launch::sum_of_squares(tensors)]);
    tensor(outputs.remove(0))
}

fn primitive(x: Tensor<1>) -> FloatTensor<Cube> {
    let x = <DispatchTensor as DispatchKindConversion<Cube>>::try_into_backend(x.into_dispatch());
    x.expect("all tensors are on one GPU, without autodiff").float()
}

fn tensor(x: FloatTensor<Cube>) -> Tensor<1> {
    let x = burn::backend::BackendTensor::Float(x);
    Tensor::from_dispatch(<DispatchTensor as DispatchKindConversion<Cube>>::from_backend(x))
}
