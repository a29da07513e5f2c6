//! Three matrices side by side, in another type: y = \[A B C\], in one kernel, and its gradient in one kernel.

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Cube, TensorMetadata, backend_extension};
use burn::tensor::{DType, FloatDType, Shape, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::autodiff::custom_op;
use crate::cube::grid::grid;
use crate::cube::memory::{element_type, uninitialized, uninitialized_of};

/// The number of units of a cube.
const UNITS: usize = 256;

/// Returns fp32 matrices of one shape side by side: `[rows, columns]` each -> `[rows, 3 · columns]`.
pub(super) fn concatenate(matrices: [Tensor<2>; 3], dtype: FloatDType) -> Tensor<2> {
    let inputs = matrices.map(Tensor::into_dispatch);
    custom_op::<Cube, 3, 2, _>(inputs, |[a, b, c], _| {
        let y = <Cube as ConcatenateKernels>::concatenate(a, b, c, dtype.into());
        let backward_fn = |g: FloatTensor<Cube>, _: [bool; 3]| {
            let (a, b, c) = <Cube as ConcatenateKernels>::split(g);
            [a, b, c].map(Some)
        };
        (y, backward_fn)
    })
}

#[backend_extension(Cube, Fusion)]
trait ConcatenateKernels: Backend {
    /// Returns the matrices side by side.
    #[fusion(meta = concatenated)]
    fn concatenate(
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        c: FloatTensor<Self>,
        dtype: DType,
    ) -> FloatTensor<Self>;

    /// Returns the three parts in fp32.
    #[fusion(meta = parts)]
    fn split(y: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn concatenated(a: &TensorSpec, _: &TensorSpec, _: &TensorSpec, dtype: &DType) -> TensorSpec {
    let [rows, columns] = a.shape.dims();
    TensorSpec::new(Shape::from([rows, 3 * columns]), *dtype)
}

fn parts(y: &TensorSpec) -> (TensorSpec, TensorSpec, TensorSpec) {
    let [rows, columns] = y.shape.dims();
    let part = TensorSpec::new(Shape::from([rows, columns / 3]), DType::F32);
    (part.clone(), part.clone(), part)
}

impl ConcatenateKernels for CubeBackend {
    fn concatenate(a: CubeTensor, b: CubeTensor, c: CubeTensor, dtype: DType) -> CubeTensor {
        let [a, b, c] = [a, b, c].map(into_contiguous);
        let [rows, columns] = a.shape().dims();
        let y = uninitialized_of(&a, [rows, 3 * columns], dtype);
        copy_beside::launch(
            &y.client.clone(),
            grid((rows * columns).div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            a.into_buffer_arg(),
            b.into_buffer_arg(),
            c.into_buffer_arg(),
            y.clone().into_buffer_arg(),
            rows * columns,
            columns,
            element_type(dtype),
        );
        y
    }

    fn split(y: CubeTensor) -> (CubeTensor, CubeTensor, CubeTensor) {
        let y = into_contiguous(y);
        let [rows, columns] = y.shape().dims();
        let columns = columns / 3;
        let [a, b, c] = [(); 3].map(|()| uninitialized(&y, [rows, columns]));
        copy_apart::launch(
            &y.client.clone(),
            grid((rows * columns).div_ceil(UNITS)),
            CubeDim::new_1d(UNITS as u32),
            y.clone().into_buffer_arg(),
            a.clone().into_buffer_arg(),
            b.clone().into_buffer_arg(),
            c.clone().into_buffer_arg(),
            rows * columns,
            columns,
            element_type(y.dtype),
        );
        (a, b, c)
    }
}

#[cube(launch)]
fn copy_beside<E: Float>(
    a: &[f32],   // [rows, columns]
    b: &[f32],   // [rows, columns]
    c: &[f32],   // [rows, columns]
    y: &mut [E], // [rows, 3, columns]
    elements: usize,
    columns: usize,
    #[define(E)] _dtype: ElemType,
) {
    let i = ABSOLUTE_POS;
    if i < elements {
        let place = i / columns * 3 * columns + i % columns;
        y[place] = E::cast_from(a[i]);
        y[place + columns] = E::cast_from(b[i]);
        y[place + 2 * columns] = E::cast_from(c[i]);
    }
}

#[cube(launch)]
fn copy_apart<E: Float>(
    y: &[E],       // [rows, 3, columns]
    a: &mut [f32], // [rows, columns]
    b: &mut [f32], // [rows, columns]
    c: &mut [f32], // [rows, columns]
    elements: usize,
    columns: usize,
    #[define(E)] _dtype: ElemType,
) {
    let i = ABSOLUTE_POS;
    if i < elements {
        let place = i / columns * 3 * columns + i % columns;
        a[i] = f32::cast_from(y[place]);
        b[i] = f32::cast_from(y[place + columns]);
        c[i] = f32::cast_from(y[place + 2 * columns]);
    }
}
