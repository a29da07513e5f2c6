//! AdamW on the CPU of a table of which some rows have moments. The other rows only decay: θ ← θ·(1 − ηλ).

use burn::backend::Flex;
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{AdamWUpdate, primitive};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::as_slice;
use crate::cpu::vectors::{load, store};
use crate::optimizer::step::{AdamWParameter, AdamWStep, Moments, RowsOfStep};

/// The number of rows of the table in one task.
const ROWS_PER_TASK: usize = 256;

pub(in crate::optimizer) fn adamw_rows(
    parameter: AdamWParameter,
    gradient_scale: Tensor<1>,
    rows: RowsOfStep<'_>,
) -> (Tensor<1>, Moments) {
    let AdamWParameter { values, gradient, moments, step } = parameter;
    let [mut values, gradient, scale, mut mean, mut squares] =
        [values, gradient, gradient_scale, moments.mean, moments.mean_of_squares].map(primitive);
    let gradient = RowsWithGradient { rows: rows.gradient.as_slice(), gradient: as_slice(&gradient) };
    let columns = gradient.gradient.len() / gradient.rows.len();
    let all = RowsUpdate {
        first_row: 0,
        values: values.storage_mut(),
        gradient,
        scale: as_slice(&scale)[0],
        rows: rows.moments.as_slice(),
        mean: mean.storage_mut(),
        squares: squares.storage_mut(),
        zeros: &vec![0.0; columns],
        step: &step,
    };
    let cpu = Cpu::fp32();
    all.tasks().into_par_iter().for_each(|task| cpu.vectorize(task));
    let [values, mean, mean_of_squares] = [values, mean, squares].map(Tensor::from_primitive::<Flex>);
    (values, Moments { mean, mean_of_squares })
}

/// The rows that have a gradient in this step, and their gradients.
#[derive(Clone, Copy)]
struct RowsWithGradient<'a> {
    rows: &'a [u32],
    /// `[rows, columns]`
    gradient: &'a [f32],
}

impl<'a> RowsWithGradient<'a> {
    /// Returns the gradient of a row.
    fn of(self, row: u32, columns: usize) -> Option<&'a [f32]> {
        let place = self.rows.binary_search(&row).ok()?;
        Some(&self.gradient[place * columns..][..columns])
    }
}

/// The update of consecutive rows of the table.
struct RowsUpdate<'a> {
    first_row: usize,
    values: &'a mut [f32],
    gradient: RowsWithGradient<'a>,
    scale: f32,
    /// The rows that have moments, from `first_row` on.
    rows: &'a [u32],
    mean: &'a mut [f32],
    squares: &'a mut [f32],
    /// The gradient of a row without one, `[columns]`.
    zeros: &'a [f32],
    step: &'a AdamWStep,
}

impl<'a> RowsUpdate<'a> {
    /// Splits the update into tasks.
    fn tasks(self) -> Vec<Self> {
        let columns = self.zeros.len();
        let (mut rows, mut mean, mut squares) = (self.rows, self.mean, self.squares);
        let task = |(task, values): (usize, &'a mut [f32])| {
            let first_row = task * ROWS_PER_TASK;
            let in_task = rows.partition_point(|&row| (row as usize) < first_row + ROWS_PER_TASK);
            Self {
                first_row,
                values,
                rows: rows.split_off(..in_task).expect("rows of the task"),
                mean: mean.split_off_mut(..in_task * columns).expect("moments of the rows"),
                squares: squares.split_off_mut(..in_task * columns).expect("moments of the rows"),
                ..self
            }
        };
        self.values.chunks_mut(ROWS_PER_TASK * columns).enumerate().map(task).collect()
    }
}

impl WithSimd for RowsUpdate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.zeros.len();
        let Self { scale, step, .. } = self;
        let moments = self.mean.chunks_exact_mut(columns).zip(self.squares.chunks_exact_mut(columns));
        let mut known = self.rows.iter().zip(moments).peekable();
        for (number, values) in self.values.chunks_exact_mut(columns).enumerate() {
            let row = (self.first_row + number) as u32;
            match known.next_if(|(known, _)| **known == row) {
                Some((_, (mean, squares))) => {
                    let gradient = self.gradient.of(row, columns).unwrap_or(self.zeros);
                    AdamWUpdate { values, gradient, scale, mean, squares, step }.with_simd(simd);
                }
                None => decay(simd, values, step),
            }
        }
    }
}

/// Computes θ ← θ·(1 − ηλ).
#[inline(always)]
fn decay<S: Simd>(simd: S, values: &mut [f32], step: &AdamWStep) {
    let kept = step.kept();
    if kept == 1.0 {
        return;
    }
    let kept = simd.splat_f32s(kept as f32);
    for offset in (0..values.len()).step_by(S::F32_LANES) {
        let value = simd.mul_f32s(load(simd, values, offset), kept);
        store(simd, values, offset, value);
    }
}
