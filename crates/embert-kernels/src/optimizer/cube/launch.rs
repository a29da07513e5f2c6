//! Launches the kernels of the optimizer, for as many tensors at once as the device has buffers.

use burn::backend::TensorMetadata;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::prelude::*;

use super::adamw::{self, ParameterTensorsLaunch};
use super::squares::{self, AddendLaunch};
use crate::cube::grid::grid;
use crate::cube::memory::{uninitialized, writable};
use crate::optimizer::step::AdamWStep;

/// The number of tensors of a parameter: values, gradient and two moments.
pub(super) const TENSORS: usize = 4;
/// The maximum number of parameters of a launch.
const MAX_PARAMETERS: usize = 8;
/// The maximum number of tensors of a launch of the sum of squares.
const MAX_ADDENDS: usize = 32;
/// The buffers of a launch in addition to those of the list: one argument, and the numbers of all arguments.
const OTHER_BUFFERS: usize = 2;

/// Updates all parameters in place. The tensors are the scale, and values, gradient, mean and mean of squares of each
/// parameter. Returns values, mean and mean of squares of each parameter.
pub(super) fn adamw(tensors: Vec<CubeTensor>, steps: &[AdamWStep]) -> Vec<CubeTensor> {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let scale = tensors.next().expect("the scale is the first tensor");
    let mut parameters = steps.iter().map(|step| {
        let mut next = || tensors.next().expect("four tensors for each parameter");
        let [values, gradient, mean, squares] = [next(), next(), next(), next()];
        ([values, mean, squares].map(writable), gradient, *step)
    });
    let at_once = (buffers(&scale.client) / TENSORS).clamp(1, MAX_PARAMETERS);
    let mut outputs = Vec::with_capacity(3 * steps.len());
    loop {
        let group = parameters.by_ref().take(at_once).collect::<Vec<_>>();
        if group.is_empty() {
            return outputs;
        }
        let (mut arguments, mut num_cubes) = (SequenceArg::new(), 0);
        for ([values, mean, squares], gradient, step) in group {
            let length = values.shape().num_elements();
            let end_cube = num_cubes + length.div_ceil(adamw::ELEMENTS_PER_CUBE);
            let [correction1, correction2] = step.corrections();
            let AdamWStep { beta1, beta2, epsilon, learning_rate, weight_decay, .. } = step;
            arguments.push(ParameterTensorsLaunch::new(
                values.clone().into_buffer_arg(),
                gradient.into_buffer_arg(),
                mean.clone().into_buffer_arg(),
                squares.clone().into_buffer_arg(),
                length,
                num_cubes,
                end_cube,
                beta1 as f32,
                beta2 as f32,
                (1.0 - beta1) as f32,
                (1.0 - beta2) as f32,
                epsilon as f32,
                (1.0 - learning_rate * weight_decay) as f32,
                (learning_rate / correction1) as f32,
                (1.0 / correction2.sqrt()) as f32,
            ));
            num_cubes = end_cube;
            outputs.extend([values, mean, squares]);
        }
        let dim = CubeDim::new_1d(adamw::UNITS as u32);
        adamw::update::launch(
            &scale.client,
            grid(num_cubes),
            dim,
            scale.clone().into_buffer_arg(),
            arguments,
        );
    }
}

/// Returns Σ x² over all tensors, `[1]`.
pub(super) fn sum_of_squares(tensors: Vec<CubeTensor>) -> CubeTensor {
    let tensors = tensors.into_iter().map(into_contiguous).collect::<Vec<_>>();
    let cubes = |x: &CubeTensor| x.shape().num_elements().div_ceil(squares::ELEMENTS_PER_CUBE);
    let num_parts = tensors.iter().map(cubes).sum::<usize>();
    let (client, total) = (tensors[0].client.clone(), uninitialized(&tensors[0], [1]));
    let partial = uninitialized(&total, [num_parts.max(1)]);
    let dim = CubeDim::new_1d(squares::UNITS as u32);
    let mut first_part = 0;
    for group in tensors.chunks(buffers(&client).clamp(1, MAX_ADDENDS)) {
        let (mut arguments, mut num_cubes) = (SequenceArg::new(), 0);
        for x in group {
            let (length, end_cube) = (x.shape().num_elements(), num_cubes + cubes(x));
            arguments.push(AddendLaunch::new(x.clone().into_buffer_arg(), length, num_cubes, end_cube));
            num_cubes = end_cube;
        }
        let partial = partial.clone().into_buffer_arg();
        squares::square_and_sum::launch(
            &client,
            grid(num_cubes),
            dim,
            partial,
            arguments,
            first_part,
            num_cubes,
        );
        first_part += num_cubes;
    }
    let one = CubeCount::Static(1, 1, 1);
    let (partial, sum) = (partial.into_buffer_arg(), total.clone().into_buffer_arg());
    squares::sum_partial_sums::launch(&client, one, dim, partial, sum, num_parts);
    total
}

/// Returns the number of buffers that a launch may have for a list.
fn buffers(client: &Client) -> usize {
    (client.properties().hardware.max_bindings as usize).saturating_sub(OTHER_BUFFERS)
}
