//! The AdamW kernel: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ·(1 − ηλ) − η · m̂ / (√v̂ + ε), in place. Each cube has a
//! part of one of the parameters.

use cubecl::prelude::*;

/// The number of units of a cube.
pub(super) const UNITS: usize = 256;
/// The number of elements of a unit. It loads all of them before it computes.
const ELEMENTS_PER_UNIT: usize = 4;
/// The number of elements of a cube.
pub(super) const ELEMENTS_PER_CUBE: usize = UNITS * ELEMENTS_PER_UNIT;

/// The tensors and the hyperparameters of one parameter.
#[derive(CubeType, CubeLaunch)]
pub(super) struct ParameterTensors {
    values: Box<[f32]>,
    gradient: Box<[f32]>,
    mean: Box<[f32]>,
    squares: Box<[f32]>,
    length: usize,
    /// The first cube of this parameter.
    first_cube: usize,
    /// The first cube after it.
    end_cube: usize,
    beta1: f32,
    beta2: f32,
    /// 1 − β₁
    rest1: f32,
    /// 1 − β₂
    rest2: f32,
    epsilon: f32,
    /// 1 − ηλ
    kept: f32,
    /// η/(1 − β₁ᵗ)
    rate: f32,
    /// 1/√(1 − β₂ᵗ)
    root: f32,
}

#[cube(launch)]
pub(super) fn update(scale: &[f32], mut parameters: Sequence<ParameterTensors>) {
    #[unroll]
    for k in 0..parameters.len() {
        let parameter = parameters.index_mut(k);
        if CUBE_POS >= parameter.first_cube && CUBE_POS < parameter.end_cube {
            update_part(parameter, scale[0]);
        }
    }
}

#[cube]
fn update_part(parameter: &mut ParameterTensors, scale: f32) {
    let first = (CUBE_POS - parameter.first_cube) * ELEMENTS_PER_CUBE + UNIT_POS as usize;
    let mut values = Array::<f32>::new(ELEMENTS_PER_UNIT);
    let mut gradients = Array::<f32>::new(ELEMENTS_PER_UNIT);
    let mut means = Array::<f32>::new(ELEMENTS_PER_UNIT);
    let mut squares = Array::<f32>::new(ELEMENTS_PER_UNIT);
    #[unroll]
    for i in 0..ELEMENTS_PER_UNIT {
        let element = min(first + i * UNITS, parameter.length - 1);
        values[i] = parameter.values[element];
        gradients[i] = parameter.gradient[element];
        means[i] = parameter.mean[element];
        squares[i] = parameter.squares[element];
    }
    #[unroll]
    for i in 0..ELEMENTS_PER_UNIT {
        let g = gradients[i] * scale;
        let mean = means[i] * parameter.beta1 + g * parameter.rest1;
        let square = squares[i] * parameter.beta2 + g * g * parameter.rest2;
        let direction = mean / (square.sqrt() * parameter.root + parameter.epsilon);
        let element = first + i * UNITS;
        if element < parameter.length {
            parameter.mean[element] = mean;
            parameter.squares[element] = square;
            parameter.values[element] = values[i] * parameter.kept - direction * parameter.rate;
        }
    }
}
