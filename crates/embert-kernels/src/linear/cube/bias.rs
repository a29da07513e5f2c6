//! y + \[b₀ b₁ …\] on GPUs, in the type of y, added in fp32. The gradient of a bias is the sum of its columns over the
//! rows, in two stages.

use std::iter::once;

use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, DispatchTensor, TensorMetadata};
use burn::tensor::Tensor;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::autodiff::custom_op;
use crate::cube::column_sums::{column_sums, column_sums_of_three};
use crate::cube::grid::lanes;
use crate::cube::list_op::list_op;
use crate::cube::memory::{element_type, uninitialized, writable};

/// The number of units of a cube. Each unit has the columns of one vector.
const UNITS: usize = 128;
/// The number of rows of a cube.
const ROWS: usize = 64;

/// Returns y + b.
pub(super) fn add_bias(y: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    match bias {
        Some(bias) => add_biases::<2>(y, vec![bias]),
        None => y,
    }
}

/// Returns y + \[b₀ b₁ b₂\].
pub(super) fn add_three_biases(y: Tensor<2>, biases: [Tensor<1>; 3]) -> Tensor<2> {
    add_biases::<4>(y, biases.into())
}

/// Adds M − 1 biases, which are 1 or 3. M is the number of inputs.
fn add_biases<const M: usize>(y: Tensor<2>, biases: Vec<Tensor<1>>) -> Tensor<2> {
    let inputs = once(y.into_dispatch()).chain(biases.into_iter().map(Tensor::into_dispatch));
    let inputs = <[DispatchTensor; M]>::try_from(inputs.collect::<Vec<_>>()).expect("y and M − 1 biases");
    custom_op::<Cube, M, 2, _>(inputs, |inputs, _| {
        let [spec, bias_spec] = [0, 1].map(|i| TensorSpec::new(inputs[i].shape(), inputs[i].dtype()));
        let y = list_op("add_biases", inputs.into(), &[spec], |tensors| vec![add(tensors)]).remove(0);
        let backward_fn = move |g: FloatTensor<Cube>, needed: [bool; M]| {
            let specs = vec![bias_spec.clone(); M - 1];
            let sums =
                || list_op("sum_rows", vec![g.clone()], &specs, |mut g| column_parts(g.remove(0), M - 1));
            let sums = if needed[1..].contains(&true) { sums() } else { vec![] };
            let mut gradients = once(g.clone()).chain(sums);
            std::array::from_fn(|_| gradients.next())
        };
        (y, backward_fn)
    })
}

/// Adds to each row of the first tensor the others, one after another. Computes in place if no other tensor shares the
/// memory.
fn add(tensors: Vec<CubeTensor>) -> CubeTensor {
    let mut tensors = tensors.into_iter().map(into_contiguous);
    let y = writable(tensors.next().expect("the first tensor"));
    let biases = tensors.collect::<Vec<_>>();
    let [rows, columns] = y.shape().dims();
    let width = columns / biases.len();
    let bias = |number: usize| biases[number.min(biases.len() - 1)].clone().into_buffer_arg();
    if rows > 0 {
        add_to_rows::launch(
            &y.client.clone(),
            grid(rows, columns / lanes(width)),
            CubeDim::new_1d(UNITS as u32),
            lanes(width),
            y.clone().into_buffer_arg(),
            bias(0),
            bias(1),
            bias(2),
            rows,
            columns / lanes(width),
            width / lanes(width),
            element_type(y.dtype),
        );
    }
    y
}

/// Returns the sums of the columns over the rows, cut into 1 or 3 parts of equal width.
fn column_parts(g: CubeTensor, parts: usize) -> Vec<CubeTensor> {
    let g = into_contiguous(g);
    let [rows, columns] = g.shape().dims();
    let (width, num_sums) = (columns / parts, rows.div_ceil(ROWS));
    let partial = uninitialized(&g, [num_sums, parts, width]);
    if rows > 0 {
        sum_rows::launch(
            &g.client.clone(),
            grid(rows, columns / lanes(width)),
            CubeDim::new_1d(UNITS as u32),
            lanes(width),
            g.clone().into_buffer_arg(),
            partial.clone().into_buffer_arg(),
            rows,
            columns / lanes(width),
            element_type(g.dtype),
        );
    }
    if parts == 1 {
        vec![column_sums(partial, num_sums, [width])]
    } else {
        column_sums_of_three(partial).into()
    }
}

fn grid(rows: usize, vectors: usize) -> CubeCount {
    CubeCount::Static(vectors.div_ceil(UNITS) as u32, rows.div_ceil(ROWS) as u32, 1)
}

/// Adds the biases, each unit to the columns of one vector in the rows of its cube.
#[cube(launch)]
fn add_to_rows<E: Float, N: Size>(
    y: &mut [Vector<E, N>],   // [rows, vectors]
    bias0: &[Vector<f32, N>], // [width]
    bias1: &[Vector<f32, N>], // [width]
    bias2: &[Vector<f32, N>], // [width]
    rows: usize,
    vectors: usize,
    width: usize,
    #[define(E)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    if column < vectors {
        let place = column % width;
        let mut bias = bias0[place];
        if column / width == 1 {
            bias = bias1[place];
        }
        if column / width == 2 {
            bias = bias2[place];
        }
        let first = CUBE_POS_Y as usize * ROWS;
        for row in first..min(first + ROWS, rows) {
            let sum = Vector::<f32, N>::cast_from(y[row * vectors + column]) + bias;
            y[row * vectors + column] = Vector::cast_from(sum);
        }
    }
}

/// Computes the sums of the columns over the rows of each cube.
#[cube(launch)]
fn sum_rows<E: Float, N: Size>(
    g: &[Vector<E, N>],             // [rows, vectors]
    partial: &mut [Vector<f32, N>], // [parts, vectors]
    rows: usize,
    vectors: usize,
    #[define(E)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * UNITS + UNIT_POS as usize;
    if column < vectors {
        let mut sum = Vector::<f32, N>::new(0.0f32);
        let first = CUBE_POS_Y as usize * ROWS;
        for row in first..min(first + ROWS, rows) {
            sum += Vector::<f32, N>::cast_from(g[row * vectors + column]);
        }
        partial[CUBE_POS_Y as usize * vectors + column] = sum;
    }
}
