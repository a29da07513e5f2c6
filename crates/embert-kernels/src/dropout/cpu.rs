//! Dropout on the CPU: keep(lowbias32(row ^ column · 2³²/φ)) / (1 − rate), computed where it is needed.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::mask::{COLUMN_STEP, MIX, Mask, threshold};
use super::stream::DropoutSite;
use crate::autodiff::custom_op;
use crate::cpu::output_buffer::{OutputBuffer, Writer};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::cpu::vectors::load;
use crate::layout::SequenceLayout;

/// The number of rows in one task.
pub(crate) const ROWS_PER_TASK: usize = 64;

/// Returns the keys of a task's rows, and the rate.
pub(crate) fn keys_of_task(mask: Option<&Mask>, task: usize) -> Option<(&[u32], f64)> {
    mask.map(|mask| (&mask.keys[task * ROWS_PER_TASK..], mask.rate))
}

/// Returns x ∘ mask. The backward pass is the same operation.
pub(super) fn dropout(x: Tensor<2>, layout: Option<&SequenceLayout>, site: Option<DropoutSite>) -> Tensor<2> {
    let Some(mask) = Mask::of_rows(site, layout, x.dims()[0]) else { return x };
    custom_op::<Flex, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let y = apply(&x, &mask);
        (y, move |g, _| [Some(apply(&g, &mask))])
    })
}

/// Computes the mask of one dropout site, as SIMD vectors.
#[derive(Clone, Copy)]
pub(crate) struct MaskGenerator<S: Simd> {
    simd: S,
    threshold: S::u32s,
    scale: S::f32s,
    /// column · 2³²/φ for the first columns.
    column_steps: S::u32s,
}

impl<S: Simd> MaskGenerator<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S, rate: f64) -> Self {
        let mut column_steps = [0u32; 64];
        column_steps.iter_mut().enumerate().for_each(|(i, step)| *step = column_step(i));
        Self {
            simd,
            threshold: simd.splat_u32s(threshold(rate)),
            scale: simd.splat_f32s((1.0 / (1.0 - rate)) as f32),
            column_steps: simd.partial_load_u32s(&column_steps[..S::U32_LANES]),
        }
    }

    /// Returns the mask at (row, column), (row, column + 1), ... `row` is the key of the row.
    #[inline(always)]
    pub(crate) fn along_row(self, row: u32, column: usize) -> S::f32s {
        let column_steps = self.simd.add_u32s(self.column_steps, self.simd.splat_u32s(column_step(column)));
        self.factors(self.simd.xor_u32s(self.simd.splat_u32s(row), column_steps))
    }

    /// Returns the mask at one column of several rows. `rows` are the keys of the rows.
    #[inline(always)]
    pub(crate) fn down_column(self, rows: S::u32s, column: usize) -> S::f32s {
        self.factors(self.simd.xor_u32s(rows, self.simd.splat_u32s(column_step(column))))
    }

    #[inline(always)]
    fn factors(self, x: S::u32s) -> S::f32s {
        let simd = self.simd;
        let x = simd.mul_u32s(self.xor_shifted(x, 16), simd.splat_u32s(MIX[0]));
        let x = simd.mul_u32s(self.xor_shifted(x, 15), simd.splat_u32s(MIX[1]));
        let hash = simd.wrapping_dyn_shr_u32s(self.xor_shifted(x, 16), simd.splat_u32s(8)); // 24 bits
        let kept = simd.greater_than_or_equal_u32s(hash, self.threshold);
        simd.select_f32s(kept, self.scale, simd.splat_f32s(0.0))
    }

    #[inline(always)]
    fn xor_shifted(self, x: S::u32s, bits: u32) -> S::u32s {
        self.simd.xor_u32s(x, self.simd.wrapping_dyn_shr_u32s(x, self.simd.splat_u32s(bits)))
    }
}

fn column_step(column: usize) -> u32 {
    (column as u32).wrapping_mul(COLUMN_STEP)
}

/// Returns x ∘ mask.
pub(crate) fn apply(x: &FlexTensor, &Mask { ref keys, rate }: &Mask) -> FlexTensor {
    let (cpu, [rows, columns]) = (Cpu::fp32(), x.shape().dims());
    let mut y = OutputBuffer::new(rows * columns);
    let task = columns * ROWS_PER_TASK;
    let inputs = as_slice(x).par_chunks(task).zip(keys.par_chunks(ROWS_PER_TASK));
    let tasks = y.writers(task).into_par_iter().zip(inputs);
    tasks.for_each(|(y, (x, keys))| cpu.vectorize(ApplyMask { y, x, keys, columns, rate }));
    from_vec(y.into_vec(), [rows, columns])
}

struct ApplyMask<'a> {
    y: Writer<'a>,
    x: &'a [f32],
    keys: &'a [u32],
    columns: usize,
    rate: f64,
}

impl WithSimd for ApplyMask<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let generator = MaskGenerator::new(simd, self.rate);
        for (x, &key) in self.x.chunks_exact(self.columns).zip(self.keys) {
            let dropped = |offset| simd.mul_f32s(load(simd, x, offset), generator.along_row(key, offset));
            self.y.row(simd, self.columns, dropped);
        }
    }
}
