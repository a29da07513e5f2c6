//! Launches the layer normalization kernels.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::team::{Team, UNITS};
use super::{backward, forward};
use crate::cube::grid::{grid, lanes};
use crate::cube::memory::{element_type, uninitialized, uninitialized_of};
use crate::dropout::cube::{DeviceMask, SequenceMask};

/// The parameters of a normalization that are not tensors.
#[derive(Clone, Debug)]
pub(super) struct NormParameters {
    pub(super) epsilon: f64,
    /// True if there are a residual and a bias of x. Otherwise they are not read.
    pub(super) has_residual: bool,
    /// True if a backward pass follows.
    pub(super) saves: bool,
    pub(super) mask: Option<SequenceMask>,
}

/// The maximum number of columns of a row of one plane in the forward pass: 128 registers of each unit.
const MAX_PLANE_COLUMNS: usize = 4096;
/// The same in the backward pass, which has five numbers for each column.
const MAX_PLANE_COLUMNS_BACKWARD: usize = 1024;
/// The maximum number of teams in the backward pass. Each one has partial sums.
const MAX_PARTS: usize = 1024;
/// The sums over rows: dγ, dβ and the gradient of the bias of x.
const SUMS: usize = 3;

/// The shape of an output that is not written. A buffer has at least one vector.
pub(super) const UNUSED: [usize; 2] = [1, 4];

/// Returns y, the normalized rows, and 1/√(σ² + ε) of each row.
pub(super) fn forward(
    [x, residual, x_bias, weight, bias]: [CubeTensor; 5],
    norm: &NormParameters,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = x.shape().dims();
    let y = uninitialized(&x, shape);
    let normalized = uninitialized(&x, if norm.saves { shape } else { UNUSED });
    let inverse_deviation = uninitialized(&x, [if norm.saves { rows } else { 1 }]);
    let team = Team::new(&x.client, hidden, MAX_PLANE_COLUMNS);
    let dtype = element_type(x.dtype);
    if rows > 0 {
        forward::normalize::launch(
            &x.client.clone(),
            grid(rows.div_ceil(team.per_cube())),
            CubeDim::new_1d(UNITS as u32),
            lanes(hidden),
            residual.into_buffer_arg(),
            x.into_buffer_arg(),
            x_bias.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            normalized.clone().into_buffer_arg(),
            inverse_deviation.clone().into_buffer_arg(),
            DeviceMask::new(norm.mask.as_ref(), &y).launch(),
            rows,
            norm.epsilon as f32,
            hidden,
            hidden / lanes(hidden),
            team,
            norm.has_residual,
            norm.saves,
            dtype,
        );
    }
    (y, normalized, inverse_deviation)
}

/// Returns the gradients of x and residual, and with `sums_rows` the partial sums, `[parts, SUMS, hidden]`.
pub(super) fn input_gradients(
    [gradient, normalized, inverse_deviation, weight]: [CubeTensor; 4],
    norm: &NormParameters,
    x_dtype: DType,
    sums_rows: bool,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let shape @ [rows, hidden] = gradient.shape().dims();
    let dresidual = uninitialized(&gradient, shape);
    let writes_dx = norm.mask.is_some() || x_dtype != DType::F32;
    let dx = if writes_dx { uninitialized_of(&gradient, shape, x_dtype) } else { dresidual.clone() };
    let team = Team::new(&gradient.client, hidden, MAX_PLANE_COLUMNS_BACKWARD);
    let rows_per_part = rows.div_ceil(MAX_PARTS).max(1);
    let num_parts = rows.div_ceil(rows_per_part).max(1);
    let partial = uninitialized(
        &gradient,
        if sums_rows { [num_parts, SUMS, hidden] } else { [1, UNUSED[0], UNUSED[1]] },
    );
    backward::input_gradients::launch(
        &gradient.client.clone(),
        grid(num_parts.div_ceil(team.per_cube())),
        CubeDim::new_1d(UNITS as u32),
        lanes(hidden),
        gradient.into_buffer_arg(),
        normalized.into_buffer_arg(),
        inverse_deviation.into_buffer_arg(),
        weight.into_buffer_arg(),
        dx.clone().into_buffer_arg(),
        dresidual.clone().into_buffer_arg(),
        partial.clone().into_buffer_arg(),
        DeviceMask::new(norm.mask.as_ref(), &dresidual).launch(),
        rows,
        rows_per_part,
        num_parts,
        hidden,
        hidden / lanes(hidden),
        team,
        writes_dx,
        sums_rows,
        element_type(x_dtype),
    );
    (dx, dresidual, partial)
}
