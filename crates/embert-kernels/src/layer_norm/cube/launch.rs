//! The kernels of layer normalization: y = γ·(h − μ)/√(σ² + ε) + β of h = residual + dropout(x) (Ba, Kiros
//! and Hinton, 2016).
//!
//! One cube (thread block) normalizes one row.

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube::memory::uninitialized;
use crate::dropout::cube::{DeviceMask, MaskGenerator};
use crate::dropout::mask::Mask;

/// The parameters of a normalization that are not tensors.
#[derive(Clone, Debug)]
pub(super) struct NormParameters {
    pub(super) epsilon: f64,
    /// True if there is a residual. Otherwise the residual is not read.
    pub(super) has_residual: bool,
    pub(super) mask: Option<Mask>,
}

/// The number of units (threads) that share a row. Each unit has every 128th column.
const UNITS: usize = 128;
/// The number of units in the second stage of a sum.
const SECOND_STAGE_UNITS: usize = 8;
/// The maximum number of cubes in the backward pass. Each one has a partial sum of dγ and dβ.
const MAX_PARTIAL_SUMS: usize = 256;
/// The maximum number of cubes in one dimension. All devices allow 65,535.
const MAX_CUBES_X: usize = 1024;

/// Returns y, the normalized rows, and 1/√(σ² + ε) of each row.
pub(super) fn forward(
    x: CubeTensor,
    residual: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    norm: &NormParameters,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = x.shape().dims();
    let (y, normalized) = (uninitialized(&x, shape), uninitialized(&x, shape));
    let inverse_deviation = uninitialized(&x, [rows]);
    let mask = DeviceMask::new(norm.mask.as_ref(), &x);
    if rows > 0 {
        normalize::launch(
            &x.client.clone(),
            grid(rows),
            CubeDim::new_1d(UNITS as u32),
            residual.into_buffer_arg(),
            x.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            normalized.clone().into_buffer_arg(),
            inverse_deviation.clone().into_buffer_arg(),
            mask.launch(),
            rows,
            norm.epsilon as f32,
            hidden,
            norm.has_residual,
        );
    }
    (y, normalized, inverse_deviation)
}

/// Returns the gradients of x, residual, γ and β.
pub(super) fn backward(
    gradient: CubeTensor,
    normalized: CubeTensor,
    inverse_deviation: CubeTensor,
    weight: CubeTensor,
    norm: &NormParameters,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = gradient.shape().dims();
    let client = gradient.client.clone();
    let mask = DeviceMask::new(norm.mask.as_ref(), &gradient);
    let dresidual = uninitialized(&gradient, shape);
    let dx = if mask.is_enabled { uninitialized(&gradient, shape) } else { dresidual.clone() };
    let (dweight, dbias) = (uninitialized(&gradient, [hidden]), uninitialized(&gradient, [hidden]));
    let rows_per_cube = rows.div_ceil(MAX_PARTIAL_SUMS).max(1);
    let num_partial_sums = rows.div_ceil(rows_per_cube).max(1);
    let partial = uninitialized(&gradient, [num_partial_sums, 2, hidden]);
    input_gradients::launch(
        &client,
        CubeCount::Static(num_partial_sums as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        gradient.into_buffer_arg(),
        normalized.into_buffer_arg(),
        inverse_deviation.into_buffer_arg(),
        weight.into_buffer_arg(),
        dx.clone().into_buffer_arg(),
        dresidual.clone().into_buffer_arg(),
        partial.clone().into_buffer_arg(),
        mask.launch(),
        rows,
        rows_per_cube,
        hidden,
    );
    sum_partial_sums::launch(
        &client,
        CubeCount::Static(hidden.div_ceil(UNITS) as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        partial.into_buffer_arg(),
        dweight.clone().into_buffer_arg(),
        dbias.clone().into_buffer_arg(),
        num_partial_sums,
        hidden,
    );
    (dx, dresidual, dweight, dbias)
}

fn grid(rows: usize) -> CubeCount {
    let across = rows.min(MAX_CUBES_X);
    CubeCount::Static(across as u32, rows.div_ceil(across) as u32, 1)
}

#[cube(launch)]
fn normalize(
    residual: &[f32],              // [rows, hidden]
    x: &[f32],                     // [rows, hidden]
    weight: &[f32],                // [hidden]
    bias: &[f32],                  // [hidden]
    y: &mut [f32],                 // [rows, hidden]
    normalized: &mut [f32],        // [rows, hidden]
    inverse_deviation: &mut [f32], // [rows]
    dropout: &MaskGenerator,       // [rows]
    rows: usize,
    epsilon: f32,
    #[comptime] hidden: usize,
    #[comptime] has_residual: bool,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let columns_per_unit = comptime!(hidden.div_ceil(UNITS));
    let key = dropout.key(row);
    let mut h = Array::<f32>::new(columns_per_unit);
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..columns_per_unit {
        let column = i * UNITS + UNIT_POS as usize;
        h[i] = 0.0;
        if column < hidden {
            let mut value = x[row * hidden + column] * dropout.factor(key, column as u32);
            if comptime!(has_residual) {
                value += residual[row * hidden + column];
            }
            h[i] = value;
            sum += value;
        }
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mean = sum_of_units(sum, &mut sums) / comptime!(hidden as f32);
    let mut squares = 0.0f32;
    #[unroll]
    for i in 0..columns_per_unit {
        if i * UNITS + (UNIT_POS as usize) < hidden {
            h[i] -= mean;
            squares += h[i] * h[i];
        }
    }
    let variance = sum_of_units(squares, &mut sums) / comptime!(hidden as f32);
    let inverse = 1.0 / (variance + epsilon).sqrt();
    #[unroll]
    for i in 0..columns_per_unit {
        let column = i * UNITS + UNIT_POS as usize;
        if column < hidden {
            let value = h[i] * inverse;
            normalized[row * hidden + column] = value;
            y[row * hidden + column] = value * weight[column] + bias[column];
        }
    }
    if UNIT_POS == 0 {
        inverse_deviation[row] = inverse;
    }
}

/// Computes dresidual = (d − mean(d) − n·mean(d∘n))/σ with d = γ∘g, dx = dresidual∘mask, and partial sums of
/// dγ = Σ g∘n and dβ = Σ g.
#[cube(launch)]
fn input_gradients(
    gradient: &[f32],          // [rows, hidden]
    normalized: &[f32],        // [rows, hidden]
    inverse_deviation: &[f32], // [rows]
    weight: &[f32],            // [hidden]
    dx: &mut [f32],            // [rows, hidden], written only with dropout
    dresidual: &mut [f32],     // [rows, hidden]
    partial: &mut [f32],       // [parts, 2, hidden]
    dropout: &MaskGenerator,   // [rows]
    rows: usize,
    rows_per_cube: usize,
    #[comptime] hidden: usize,
) {
    let columns_per_unit = comptime!(hidden.div_ceil(UNITS));
    let mut dweight = Array::<f32>::new(columns_per_unit);
    let mut dbias = Array::<f32>::new(columns_per_unit);
    let mut d = Array::<f32>::new(columns_per_unit);
    let mut n = Array::<f32>::new(columns_per_unit);
    #[unroll]
    for i in 0..columns_per_unit {
        dweight[i] = 0.0;
        dbias[i] = 0.0;
        d[i] = 0.0;
        n[i] = 0.0;
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mut row = CUBE_POS * rows_per_cube;
    let end = min(row + rows_per_cube, rows);
    while row < end {
        let mut sum_d = 0.0f32;
        let mut sum_dn = 0.0f32;
        #[unroll]
        for i in 0..columns_per_unit {
            let column = i * UNITS + UNIT_POS as usize;
            if column < hidden {
                let g = gradient[row * hidden + column];
                n[i] = normalized[row * hidden + column];
                d[i] = g * weight[column];
                sum_d += d[i];
                sum_dn += d[i] * n[i];
                dweight[i] += g * n[i];
                dbias[i] += g;
            }
        }
        let mean_d = sum_of_units(sum_d, &mut sums) / comptime!(hidden as f32);
        let mean_dn = sum_of_units(sum_dn, &mut sums) / comptime!(hidden as f32);
        let inverse = inverse_deviation[row];
        let key = dropout.key(row);
        #[unroll]
        for i in 0..columns_per_unit {
            let column = i * UNITS + UNIT_POS as usize;
            if column < hidden {
                let dh = (d[i] - mean_d - n[i] * mean_dn) * inverse;
                dresidual[row * hidden + column] = dh;
                if dropout.is_enabled.comptime() {
                    dx[row * hidden + column] = dh * dropout.factor(key, column as u32);
                }
            }
        }
        row += 1;
    }
    #[unroll]
    for i in 0..columns_per_unit {
        let column = i * UNITS + UNIT_POS as usize;
        if column < hidden {
            partial[CUBE_POS * 2 * hidden + column] = dweight[i];
            partial[(CUBE_POS * 2 + 1) * hidden + column] = dbias[i];
        }
    }
}

#[cube(launch)]
fn sum_partial_sums(
    partial: &[f32],     // [parts, 2, hidden]
    dweight: &mut [f32], // [hidden]
    dbias: &mut [f32],   // [hidden]
    num_partial_sums: usize,
    #[comptime] hidden: usize,
) {
    let column = ABSOLUTE_POS;
    if column < hidden {
        let mut sum_weight = 0.0f32;
        let mut sum_bias = 0.0f32;
        for part in 0..num_partial_sums {
            sum_weight += partial[part * 2 * hidden + column];
            sum_bias += partial[(part * 2 + 1) * hidden + column];
        }
        dweight[column] = sum_weight;
        dbias[column] = sum_bias;
    }
}

/// Returns the sum over the units of a cube, always in the same order. Eight units add sixteen numbers each,
/// and then every unit adds the eight results.
#[cube]
fn sum_of_units(value: f32, sums: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube(); // every unit has read the previous sum
    sums[unit] = value;
    sync_cube();
    if unit < SECOND_STAGE_UNITS {
        let mut sum = 0.0f32;
        #[unroll]
        for i in 0..comptime!(UNITS / SECOND_STAGE_UNITS) {
            sum += sums[i * SECOND_STAGE_UNITS + unit];
        }
        sums[unit] = sum; // no other unit reads this before the next sync
    }
    sync_cube();
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..SECOND_STAGE_UNITS {
        sum += sums[i];
    }
    sum
}
