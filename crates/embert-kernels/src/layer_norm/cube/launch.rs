//! y = γ·(h − μ)/√(σ² + ε) + β of h = residual + dropout(x), one cube for each row (Ba, Kiros and Hinton, 2016).

use burn::backend::TensorMetadata;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::cube::memory::unwritten;
use crate::dropout::cube::{Draw, Uploaded};
use crate::dropout::mask::Mask;

/// What a normalization needs besides tensors.
#[derive(Clone, Debug)]
pub(super) struct Norm {
    pub(super) epsilon: f64,
    /// Whether there is a residual; without one it is not read.
    pub(super) adds: bool,
    pub(super) mask: Option<Mask>,
}

/// Units that share a row, each with every 128th column.
const UNITS: usize = 128;
/// Units that add numbers of the others.
const EIGHT: usize = 8;
/// Cubes that share the rows in backward, each with a partial sum of dγ and dβ.
const PARTS: usize = 256;
/// Cubes in one dimension; all devices take 65535.
const CUBES_ACROSS: usize = 1024;

/// y, the normalized rows, and 1/√(σ² + ε) of each.
pub(super) fn forward(
    x: CubeTensor,
    residual: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    norm: &Norm,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = x.shape().dims();
    let (y, normalized) = (unwritten(&x, shape), unwritten(&x, shape));
    let inverse_deviation = unwritten(&x, [rows]);
    let mask = Uploaded::new(norm.mask.as_ref(), &x);
    if rows > 0 {
        normalize::launch(
            &x.client.clone(),
            cubes(rows),
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
            norm.adds,
        );
    }
    (y, normalized, inverse_deviation)
}

/// The gradients of x, residual, γ and β.
pub(super) fn backward(
    gradient: CubeTensor,
    normalized: CubeTensor,
    inverse_deviation: CubeTensor,
    weight: CubeTensor,
    norm: &Norm,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = gradient.shape().dims();
    let client = gradient.client.clone();
    let mask = Uploaded::new(norm.mask.as_ref(), &gradient);
    let dresidual = unwritten(&gradient, shape);
    let dx = if mask.drops { unwritten(&gradient, shape) } else { dresidual.clone() };
    let (dweight, dbias) = (unwritten(&gradient, [hidden]), unwritten(&gradient, [hidden]));
    let rows_each = rows.div_ceil(PARTS).max(1);
    let parts = rows.div_ceil(rows_each).max(1);
    let partial = unwritten(&gradient, [parts, 2, hidden]);
    input_gradients::launch(
        &client,
        CubeCount::Static(parts as u32, 1, 1),
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
        rows_each,
        hidden,
    );
    sum_of_parts::launch(
        &client,
        CubeCount::Static(hidden.div_ceil(UNITS) as u32, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        partial.into_buffer_arg(),
        dweight.clone().into_buffer_arg(),
        dbias.clone().into_buffer_arg(),
        parts,
        hidden,
    );
    (dx, dresidual, dweight, dbias)
}

fn cubes(rows: usize) -> CubeCount {
    let across = rows.min(CUBES_ACROSS);
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
    draw: &Draw,                   // [rows]
    rows: usize,
    epsilon: f32,
    #[comptime] hidden: usize,
    #[comptime] adds: bool,
) {
    let row = CUBE_POS;
    if row >= rows {
        terminate!();
    }
    let columns_each = comptime!(hidden.div_ceil(UNITS));
    let key = draw.key(row);
    let mut h = Array::<f32>::new(columns_each);
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..columns_each {
        let column = i * UNITS + UNIT_POS as usize;
        h[i] = 0.0;
        if column < hidden {
            let mut value = x[row * hidden + column] * draw.factor(key, column as u32);
            if comptime!(adds) {
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
    for i in 0..columns_each {
        if i * UNITS + (UNIT_POS as usize) < hidden {
            h[i] -= mean;
            squares += h[i] * h[i];
        }
    }
    let variance = sum_of_units(squares, &mut sums) / comptime!(hidden as f32);
    let inverse = 1.0 / (variance + epsilon).sqrt();
    #[unroll]
    for i in 0..columns_each {
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

/// dresidual = (d − mean(d) − n·mean(d∘n))/σ with d = γ∘g; dx = dresidual∘mask; a part of dγ = Σ g∘n and of dβ = Σ g.
#[cube(launch)]
fn input_gradients(
    gradient: &[f32],          // [rows, hidden]
    normalized: &[f32],        // [rows, hidden]
    inverse_deviation: &[f32], // [rows]
    weight: &[f32],            // [hidden]
    dx: &mut [f32],            // [rows, hidden], where something is dropped
    dresidual: &mut [f32],     // [rows, hidden]
    partial: &mut [f32],       // [parts, 2, hidden]
    draw: &Draw,               // [rows]
    rows: usize,
    rows_each: usize,
    #[comptime] hidden: usize,
) {
    let columns_each = comptime!(hidden.div_ceil(UNITS));
    let mut dweight = Array::<f32>::new(columns_each);
    let mut dbias = Array::<f32>::new(columns_each);
    let mut d = Array::<f32>::new(columns_each);
    let mut n = Array::<f32>::new(columns_each);
    #[unroll]
    for i in 0..columns_each {
        dweight[i] = 0.0;
        dbias[i] = 0.0;
        d[i] = 0.0;
        n[i] = 0.0;
    }
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mut row = CUBE_POS * rows_each;
    let end = min(row + rows_each, rows);
    while row < end {
        let mut of_d = 0.0f32;
        let mut of_dn = 0.0f32;
        #[unroll]
        for i in 0..columns_each {
            let column = i * UNITS + UNIT_POS as usize;
            if column < hidden {
                let g = gradient[row * hidden + column];
                n[i] = normalized[row * hidden + column];
                d[i] = g * weight[column];
                of_d += d[i];
                of_dn += d[i] * n[i];
                dweight[i] += g * n[i];
                dbias[i] += g;
            }
        }
        let mean_d = sum_of_units(of_d, &mut sums) / comptime!(hidden as f32);
        let mean_dn = sum_of_units(of_dn, &mut sums) / comptime!(hidden as f32);
        let inverse = inverse_deviation[row];
        let key = draw.key(row);
        #[unroll]
        for i in 0..columns_each {
            let column = i * UNITS + UNIT_POS as usize;
            if column < hidden {
                let dh = (d[i] - mean_d - n[i] * mean_dn) * inverse;
                dresidual[row * hidden + column] = dh;
                if draw.drops.comptime() {
                    dx[row * hidden + column] = dh * draw.factor(key, column as u32);
                }
            }
        }
        row += 1;
    }
    #[unroll]
    for i in 0..columns_each {
        let column = i * UNITS + UNIT_POS as usize;
        if column < hidden {
            partial[CUBE_POS * 2 * hidden + column] = dweight[i];
            partial[(CUBE_POS * 2 + 1) * hidden + column] = dbias[i];
        }
    }
}

#[cube(launch)]
fn sum_of_parts(
    partial: &[f32],     // [parts, 2, hidden]
    dweight: &mut [f32], // [hidden]
    dbias: &mut [f32],   // [hidden]
    parts: usize,
    #[comptime] hidden: usize,
) {
    let column = ABSOLUTE_POS;
    if column < hidden {
        let mut of_weight = 0.0f32;
        let mut of_bias = 0.0f32;
        for part in 0..parts {
            of_weight += partial[part * 2 * hidden + column];
            of_bias += partial[(part * 2 + 1) * hidden + column];
        }
        dweight[column] = of_weight;
        dbias[column] = of_bias;
    }
}

/// The sum over the units of a cube, always in the same order: eight units add sixteen numbers each, then all add those.
#[cube]
fn sum_of_units(value: f32, sums: &mut Shared<[f32]>) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube(); // the last sum has been read
    sums[unit] = value;
    sync_cube();
    if unit < EIGHT {
        let mut sum = 0.0f32;
        #[unroll]
        for i in 0..comptime!(UNITS / EIGHT) {
            sum += sums[i * EIGHT + unit];
        }
        sums[unit] = sum; // which no other unit reads before all are done
    }
    sync_cube();
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..EIGHT {
        sum += sums[i];
    }
    sum
}
