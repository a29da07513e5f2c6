//! The dropout kernel as an operation of Burn, which its fusion runs in order. Each unit has one vector of a row.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::generator::{DeviceMask, MaskGenerator};
use super::sequence_mask::SequenceMask;
use crate::cube::grid::{grid, lanes};
use crate::cube::memory::{element_type, uninitialized_of};

/// The number of units of a cube.
const UNITS: usize = 256;

#[backend_extension(Cube, Fusion)]
pub(super) trait DropoutKernel: Backend {
    /// Returns x ∘ mask.
    #[fusion(dtype = x, shape = x)]
    fn apply_mask(x: FloatTensor<Self>, mask: SequenceMask) -> FloatTensor<Self>;
}

impl DropoutKernel for CubeBackend {
    fn apply_mask(x: CubeTensor, mask: SequenceMask) -> CubeTensor {
        let x = into_contiguous(x);
        let shape @ [rows, columns] = x.shape().dims();
        let y = uninitialized_of(&x, shape, x.dtype);
        let vectors = columns / lanes(columns);
        if rows > 0 {
            multiply_by_mask::launch(
                &x.client.clone(),
                grid((rows * vectors).div_ceil(UNITS)),
                CubeDim::new_1d(UNITS as u32),
                lanes(columns),
                x.clone().into_buffer_arg(),
                y.clone().into_buffer_arg(),
                DeviceMask::new(Some(&mask), &y).launch(),
                rows,
                vectors,
                element_type(x.dtype),
            );
        }
        y
    }
}

#[cube(launch)]
fn multiply_by_mask<E: Float, N: Size>(
    x: &[Vector<E, N>],      // [rows, columns]
    y: &mut [Vector<E, N>],  // [rows, columns]
    dropout: &MaskGenerator, // [rows]
    num_rows: usize,
    #[comptime] vectors: usize,
    #[define(E)] _dtype: ElemType,
) {
    let row = ABSOLUTE_POS / vectors;
    if row < num_rows {
        let column = ABSOLUTE_POS % vectors * N::value();
        let x = Vector::<f32, N>::cast_from(x[ABSOLUTE_POS]);
        y[ABSOLUTE_POS] = Vector::cast_from(x * dropout.factors::<N>(dropout.row_key(row), column));
    }
}
