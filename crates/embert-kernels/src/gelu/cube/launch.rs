//! The kernels of GELU: y = h·Φ(h) and dx = g·(Φ(h) + h·φ(h)) with h = x + b and φ = dΦ/dh. Φ(h) = ½(1 + erf(h/√2)), or
//! approximately ½(1 + tanh u) with u = √(2/π)·(h + 0.044715·h³). The gradient of b is the sum of dx over the rows.

use std::f32::consts::FRAC_1_SQRT_2;

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube::column_sums::column_sums;
use crate::cube::grid::lanes;
use crate::cube::memory::{element_type, uninitialized, uninitialized_of};
use crate::gelu::GeluApproximation;

/// The number of units of a cube. Each unit has the columns of one vector.
const UNITS: usize = 128;
/// The number of rows of a cube.
const ROWS: usize = 64;
/// 1/√(2π)
const FRAC_1_SQRT_TAU: f32 = 0.398_942_3;
/// The factors of u = √(2/π)·(h + 0.044715·h³).
const OF_H: f32 = 0.797_884_6;
const OF_CUBE: f32 = OF_H * 0.044_715;

/// Returns gelu(x + b), in the type of x.
pub(super) fn forward(x: CubeTensor, bias: CubeTensor, approximation: GeluApproximation) -> CubeTensor {
    let shape @ [rows, columns] = x.shape().dims();
    let y = uninitialized_of(&x, shape, x.dtype);
    if rows == 0 {
        return y;
    }
    gelu::launch(
        &x.client.clone(),
        grid(rows, columns),
        CubeDim::new_1d(UNITS as u32),
        lanes(columns),
        x.clone().into_buffer_arg(),
        bias.into_buffer_arg(),
        y.clone().into_buffer_arg(),
        rows,
        columns / lanes(columns),
        approximation,
        element_type(x.dtype),
    );
    y
}

/// Returns the gradients of x, in its type, and of b.
pub(super) fn backward(
    x: CubeTensor,
    bias: CubeTensor,
    gradient: CubeTensor,
    approximation: GeluApproximation,
) -> (CubeTensor, CubeTensor) {
    let shape @ [rows, columns] = x.shape().dims();
    let dx = uninitialized_of(&x, shape, x.dtype);
    let parts = rows.div_ceil(ROWS);
    let partial = uninitialized(&x, [parts, columns]);
    if rows > 0 {
        gelu_gradient::launch(
            &x.client.clone(),
            grid(rows, columns),
            CubeDim::new_1d(UNITS as u32),
            lanes(columns),
            x.clone().into_buffer_arg(),
            bias.into_buffer_arg(),
            gradient.into_buffer_arg(),
            dx.clone().into_buffer_arg(),
            partial.clone().into_buffer_arg(),
            rows,
            columns / lanes(columns),
            approximation,
            element_type(x.dtype),
        );
    }
    (dx, column_sums(partial, parts, [columns]))
}

fn grid(rows: usize, columns: usize) -> CubeCount {
    let across = (columns / lanes(columns)).div_ceil(UNITS);
    CubeCount::Static(across as u32, rows.div_ceil(ROWS) as u32, 1)
}

/// Computes y = h·Φ(h), each unit for the columns of one vector in the rows of its cube.
#[cube(launch)]
fn gelu<E: Float, N: Size>(
    x: &[Vector<E, N>],      // [rows, vectors]
    bias: &[Vector<f32, N>], // [vectors]
    y: &mut [Vector<E, N>],  // [rows, vectors]
    rows: usize,
    vectors: usize,
    #[comptime] approximation: GeluApproximation,
    #[define(E)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    if column < vectors {
        let b = bias[column];
        let first = CUBE_POS_Y as usize * ROWS;
        for row in first..min(first + ROWS, rows) {
            let h = Vector::<f32, N>::cast_from(x[row * vectors + column]) + b;
            y[row * vectors + column] = Vector::cast_from(h * cumulative::<N>(h, approximation));
        }
    }
}

/// Computes dx, and the sum of dx over the rows of each cube.
#[cube(launch)]
fn gelu_gradient<E: Float, N: Size>(
    x: &[Vector<E, N>],             // [rows, vectors]
    bias: &[Vector<f32, N>],        // [vectors]
    gradient: &[Vector<E, N>],      // [rows, vectors]
    dx: &mut [Vector<E, N>],        // [rows, vectors]
    partial: &mut [Vector<f32, N>], // [parts, vectors]
    rows: usize,
    vectors: usize,
    #[comptime] approximation: GeluApproximation,
    #[define(E)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    if column < vectors {
        let b = bias[column];
        let mut sum = Vector::<f32, N>::new(0.0f32);
        let first = CUBE_POS_Y as usize * ROWS;
        for row in first..min(first + ROWS, rows) {
            let place = row * vectors + column;
            let h = Vector::<f32, N>::cast_from(x[place]) + b;
            let cdf = cumulative::<N>(h, approximation);
            let slope = cdf + h * density::<N>(h, cdf, approximation);
            let g = Vector::<f32, N>::cast_from(gradient[place]) * slope;
            dx[place] = Vector::cast_from(g);
            sum += g;
        }
        partial[CUBE_POS_Y as usize * vectors + column] = sum;
    }
}

/// Returns Φ(h).
#[cube]
fn cumulative<N: Size>(h: Vector<f32, N>, #[comptime] approximation: GeluApproximation) -> Vector<f32, N> {
    let odd = if comptime!(approximation == GeluApproximation::Tanh) {
        (h * (Vector::new(OF_H) + h * h * Vector::new(OF_CUBE))).tanh()
    } else {
        (h * Vector::new(FRAC_1_SQRT_2)).erf()
    };
    (odd + Vector::new(1.0f32)) * Vector::new(0.5f32)
}

/// Returns φ(h) = dΦ/dh, which is 2·Φ·(1 − Φ)·du/dh in the approximation.
#[cube]
fn density<N: Size>(
    h: Vector<f32, N>,
    cdf: Vector<f32, N>,
    #[comptime] approximation: GeluApproximation,
) -> Vector<f32, N> {
    if comptime!(approximation == GeluApproximation::Tanh) {
        let slope = Vector::new(2.0 * OF_H) + h * h * Vector::new(6.0 * OF_CUBE);
        cdf * (Vector::new(1.0f32) - cdf) * slope
    } else {
        (h * h * Vector::new(-0.5f32)).exp() * Vector::new(FRAC_1_SQRT_TAU)
    }
}
