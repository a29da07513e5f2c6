//! GeGLU on the CPU: h = gelu(a) ∘ g; da = dh ∘ g ∘ (Φ(a) + a·φ(a)), dg = dh ∘ gelu(a), with gelu(a) = a·Φ(a).

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::custom_op;
use crate::cpu::linear::{self, input_gradient, weight_gradients};
use crate::cpu::math::{normal_cdf, normal_pdf};
use crate::cpu::output_buffer::{OutputBuffer, Writer, optional_writers};
use crate::cpu::saved_tensor::{SavedRows, SavedTensor};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::cpu::vectors::{load, store};
use crate::precision::Precision;

/// The number of rows in one task.
const ROWS_PER_TASK: usize = 64;

pub(super) fn geglu(x: Tensor<2>) -> Tensor<2> {
    custom_op::<Flex, 1, 2, _>([x.into_dispatch()], |[x], [is_tracked]| {
        let (cpu, shape) = (Cpu::fp32(), x.shape().dims::<2>());
        let h = forward(cpu, &x);
        let saved = is_tracked.then_some(SavedTensor::Fp32(x));
        let backward_fn = move |g: FlexTensor, _| [saved.as_ref().map(|x| backward(cpu, x, shape, &g, None))];
        (h, backward_fn)
    })
}

/// Saves only x. The backward pass computes gelu(a) ∘ g again.
pub(super) fn geglu_linear(x: Tensor<2>, weight: Tensor<2>, precision: Precision) -> Tensor<2> {
    let inputs = [x.into_dispatch(), weight.into_dispatch()];
    custom_op::<Flex, 2, 2, _>(inputs, |[x, weight], tracked| {
        let (cpu, shape @ [rows, columns], weights) = (Cpu::new(precision), x.shape().dims::<2>(), [weight]);
        let h = forward(cpu, &x);
        let saved = tracked.contains(&true).then(|| SavedTensor::new(cpu, x));
        let y = linear::forward(cpu, &h, &weights, &[None]);
        let backward_fn = move |g: FlexTensor, [_, weight_needed]: [bool; 2]| {
            let Some(x) = &saved else { return [None, None] };
            let dh = input_gradient(cpu, &g, &weights);
            let mut h = weight_needed.then(|| OutputBuffer::new(rows * columns / 2));
            let dx = backward(cpu, x, shape, &dh, h.as_mut());
            let h = h.map(|h| from_vec(h.into_vec(), [rows, columns / 2]));
            let dw = h.and_then(|h| weight_gradients(cpu, &h, &g, &[true]).pop().flatten());
            [Some(dx), dw]
        };
        (y, backward_fn)
    })
}

/// Returns gelu(a) ∘ g, `[rows, intermediate]`.
fn forward(cpu: Cpu, x: &FlexTensor) -> FlexTensor {
    let [rows, columns] = x.shape().dims();
    let mut h = OutputBuffer::new(rows * columns / 2);
    let tasks = h.writers(columns / 2 * ROWS_PER_TASK).into_par_iter();
    let tasks = tasks.zip(as_slice(x).par_chunks(columns * ROWS_PER_TASK));
    tasks.for_each(|(h, x)| cpu.vectorize(Forward { h, x, columns }));
    from_vec(h.into_vec(), [rows, columns / 2])
}

/// Returns the gradient of x, `[rows, 2 · intermediate]`. If `h` is given, writes gelu(a) ∘ g to it.
fn backward(
    cpu: Cpu,
    x: &SavedTensor,
    [rows, columns]: [usize; 2],
    dh: &FlexTensor,
    h: Option<&mut OutputBuffer>,
) -> FlexTensor {
    let mut dx = OutputBuffer::new(rows * columns);
    let (half_task, task) = (columns / 2 * ROWS_PER_TASK, columns * ROWS_PER_TASK);
    let outputs = dx.writers(task).into_par_iter().zip(optional_writers(h, rows * columns / 2, half_task));
    let tasks = outputs.zip(as_slice(dh).par_chunks(half_task)).enumerate();
    tasks.for_each(|(i, ((dx, h), dh))| {
        let x = x.range(i * task..i * task + 2 * dh.len());
        cpu.vectorize(Backward { dx, h, dh, x, columns });
    });
    from_vec(dx.into_vec(), [rows, columns])
}

struct Forward<'a> {
    h: Writer<'a>,
    x: &'a [f32],
    columns: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for row in self.x.chunks_exact(self.columns) {
            let (a, g) = row.split_at(self.columns / 2);
            self.h.row(simd, a.len(), |offset| {
                let a = load(simd, a, offset);
                simd.mul_f32s(simd.mul_f32s(a, normal_cdf(simd, a)), load(simd, g, offset))
            });
        }
    }
}

struct Backward<'a> {
    dx: Writer<'a>,
    h: Option<Writer<'a>>,
    dh: &'a [f32],
    x: SavedRows<'a>,
    columns: usize,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let half = self.columns / 2;
        let (mut scratch, mut gelu) = (vec![0.0; self.columns], vec![0.0; half]);
        for (row, dh) in self.dh.chunks_exact(half).enumerate() {
            let (a, g) = self.x.row(row, &mut scratch).split_at(half);
            self.dx.row(simd, half, |offset| {
                let a = load(simd, a, offset);
                let cdf = normal_cdf(simd, a);
                store(simd, &mut gelu, offset, simd.mul_f32s(a, cdf));
                let slope = simd.mul_add_e_f32s(a, normal_pdf(simd, a), cdf);
                simd.mul_f32s(simd.mul_f32s(load(simd, dh, offset), load(simd, g, offset)), slope)
            });
            let product = |x, offset| simd.mul_f32s(load(simd, x, offset), load(simd, &gelu, offset));
            self.dx.row(simd, half, |offset| product(dh, offset));
            if let Some(h) = &mut self.h {
                h.row(simd, half, |offset| product(g, offset));
            }
        }
    }
}
