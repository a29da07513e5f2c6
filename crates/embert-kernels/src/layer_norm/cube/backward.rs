//! The backward kernels of layer normalization: dresidual = (d − mean(d) − n·mean(d∘n))/σ with d = γ∘g, dx =
//! dresidual∘mask, dγ = Σ g∘n, dβ = Σ g, and Σ dx for the bias of x.

use cubecl::prelude::*;

use super::team::{Team, UNITS, sum_of_team, team_index, team_unit};
use crate::dropout::cube::MaskGenerator;

/// Computes dx, dresidual, and partial sums of dγ, dβ and Σ dx. Each team has some rows and one part.
#[cube(launch)]
pub(super) fn input_gradients<X: Float, N: Size>(
    gradient: &[Vector<f32, N>],      // [rows, hidden]
    normalized: &[Vector<f32, N>],    // [rows, hidden]
    inverse_deviation: &[f32],        // [rows]
    weight: &[Vector<f32, N>],        // [hidden]
    dx: &mut [Vector<X, N>],          // [rows, hidden], written only if it differs from dresidual
    dresidual: &mut [Vector<f32, N>], // [rows, hidden]
    partial: &mut [Vector<f32, N>],   // [parts, 3, hidden], written only with `sums_rows`
    dropout: &MaskGenerator,          // [rows]
    rows: usize,
    rows_per_part: usize,
    num_parts: usize,
    #[comptime] hidden: usize,
    #[comptime] vectors: usize,
    #[comptime] team: Team,
    #[comptime] writes_dx: bool,
    #[comptime] sums_rows: bool,
    #[define(X)] _dtype: ElemType,
) {
    let part = team_index(team);
    if part >= num_parts {
        terminate!();
    }
    let vectors_per_unit = comptime!(vectors.div_ceil(team.units));
    let unit = team_unit(team);
    let mut dweight = Array::<Vector<f32, N>>::new(vectors_per_unit);
    let mut dbias = Array::<Vector<f32, N>>::new(vectors_per_unit);
    let mut dx_bias = Array::<Vector<f32, N>>::new(vectors_per_unit);
    let mut d = Array::<Vector<f32, N>>::new(vectors_per_unit);
    let mut n = Array::<Vector<f32, N>>::new(vectors_per_unit);
    #[unroll]
    for i in 0..vectors_per_unit {
        dweight[i] = Vector::new(0.0f32);
        dbias[i] = Vector::new(0.0f32);
        dx_bias[i] = Vector::new(0.0f32);
        d[i] = Vector::new(0.0f32);
        n[i] = Vector::new(0.0f32);
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mut row = part * rows_per_part;
    let end = min(row + rows_per_part, rows);
    while row < end {
        let mut sum_d = Vector::<f32, N>::new(0.0f32);
        let mut sum_dn = Vector::<f32, N>::new(0.0f32);
        #[unroll]
        for i in 0..vectors_per_unit {
            let column = i * comptime!(team.units) + unit;
            if comptime!(vectors.is_multiple_of(team.units)) || column < vectors {
                let g = gradient[row * vectors + column];
                n[i] = normalized[row * vectors + column];
                d[i] = g * weight[column];
                sum_d += d[i];
                sum_dn += d[i] * n[i];
                if comptime!(sums_rows) {
                    dweight[i] += g * n[i];
                    dbias[i] += g;
                }
            }
        }
        let mean_d = sum_of_team::<N>(sum_d, &mut sums, team) / comptime!(hidden as f32);
        let mean_dn = sum_of_team::<N>(sum_dn, &mut sums, team) / comptime!(hidden as f32);
        let inverse = Vector::<f32, N>::new(inverse_deviation[row]);
        let key = dropout.row_key(row);
        #[unroll]
        for i in 0..vectors_per_unit {
            let column = i * comptime!(team.units) + unit;
            if comptime!(vectors.is_multiple_of(team.units)) || column < vectors {
                let dh = (d[i] - Vector::new(mean_d) - n[i] * Vector::new(mean_dn)) * inverse;
                dresidual[row * vectors + column] = dh;
                let of_x = dh * dropout.factors::<N>(key, column * N::value());
                if comptime!(writes_dx) {
                    dx[row * vectors + column] = Vector::cast_from(of_x);
                }
                if comptime!(sums_rows) {
                    dx_bias[i] += of_x;
                }
            }
        }
        row += 1;
    }
    if comptime!(sums_rows) {
        #[unroll]
        for i in 0..vectors_per_unit {
            let column = i * comptime!(team.units) + unit;
            if comptime!(vectors.is_multiple_of(team.units)) || column < vectors {
                partial[part * 3 * vectors + column] = dweight[i];
                partial[(part * 3 + 1) * vectors + column] = dbias[i];
                partial[(part * 3 + 2) * vectors + column] = dx_bias[i];
            }
        }
    }
}
