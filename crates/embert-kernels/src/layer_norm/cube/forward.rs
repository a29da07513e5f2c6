//! The forward kernel of layer normalization: y = γ·(h − μ)/√(σ² + ε) + β of h = residual + dropout(x + c) (Ba, Kiros
//! and Hinton, 2016). Each team of units has one row.

use cubecl::prelude::*;

use super::team::{Team, UNITS, sum_of_team, team_index, team_unit};
use crate::dropout::cube::MaskGenerator;

#[cube(launch)]
pub(super) fn normalize<X: Float, N: Size>(
    residual: &[Vector<f32, N>],       // [rows, hidden], not read without a residual
    x: &[Vector<X, N>],                // [rows, hidden]
    x_bias: &[Vector<f32, N>],         // [hidden], not read without a residual
    weight: &[Vector<f32, N>],         // [hidden]
    bias: &[Vector<f32, N>],           // [hidden]
    y: &mut [Vector<f32, N>],          // [rows, hidden]
    normalized: &mut [Vector<f32, N>], // [rows, hidden], written only if it is saved
    inverse_deviation: &mut [f32],     // [rows], written only if it is saved
    dropout: &MaskGenerator,           // [rows]
    rows: usize,
    epsilon: f32,
    #[comptime] hidden: usize,
    #[comptime] vectors: usize,
    #[comptime] team: Team,
    #[comptime] has_residual: bool,
    #[comptime] saves: bool,
    #[define(X)] _dtype: ElemType,
) {
    let row = team_index(team);
    if row >= rows {
        terminate!();
    }
    let vectors_per_unit = comptime!(vectors.div_ceil(team.units));
    let unit = team_unit(team);
    let key = dropout.row_key(row);
    let mut h = Array::<Vector<f32, N>>::new(vectors_per_unit);
    let mut sum = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for i in 0..vectors_per_unit {
        let column = i * comptime!(team.units) + unit;
        h[i] = Vector::new(0.0f32);
        if comptime!(vectors.is_multiple_of(team.units)) || column < vectors {
            let mut value = Vector::<f32, N>::cast_from(x[row * vectors + column]);
            if comptime!(has_residual) {
                value += x_bias[column];
                value *= dropout.factors::<N>(key, column * N::value());
                value += residual[row * vectors + column];
            }
            h[i] = value;
            sum += value;
        }
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mean = sum_of_team::<N>(sum, &mut sums, team) / comptime!(hidden as f32);
    let mut squares = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for i in 0..vectors_per_unit {
        if comptime!(vectors.is_multiple_of(team.units)) || i * comptime!(team.units) + unit < vectors {
            h[i] -= Vector::new(mean);
            squares += h[i] * h[i];
        }
    }
    let variance = sum_of_team::<N>(squares, &mut sums, team) / comptime!(hidden as f32);
    let inverse = 1.0 / (variance + epsilon).sqrt();
    #[unroll]
    for i in 0..vectors_per_unit {
        let column = i * comptime!(team.units) + unit;
        if comptime!(vectors.is_multiple_of(team.units)) || column < vectors {
            let value = h[i] * Vector::new(inverse);
            if comptime!(saves) {
                normalized[row * vectors + column] = value;
            }
            y[row * vectors + column] = value * weight[column] + bias[column];
        }
    }
    if comptime!(saves) && unit == 0 {
        inverse_deviation[row] = inverse;
    }
}
