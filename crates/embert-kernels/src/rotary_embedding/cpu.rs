//! Rotary position embedding on the CPU, in place: [u·cos α − w·sin α, w·cos α + u·sin α]. The backward pass is the
//! rotation by −α.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::table::RotaryTable;
use crate::autodiff::custom_op;
use crate::cpu::simd::Cpu;
use crate::cpu::vectors::{load, store};
use crate::layout::SequenceLayout;

/// The number of rows in one task.
const ROWS_PER_TASK: usize = 64;

pub(super) fn rotary_embedding(
    x: Tensor<2>,
    layout: &SequenceLayout,
    columns: usize,
    head_size: usize,
    theta: f64,
) -> Tensor<2> {
    let rotation = Rotation {
        table: RotaryTable::get(theta, head_size, layout.longest().max(1)),
        positions: layout.positions().map(|position| position as u32).collect(),
        all_columns: x.dims()[1],
        columns,
        head_size,
    };
    custom_op::<Flex, 1, 2, _>([x.into_dispatch()], |[x], _| {
        let y = rotation.rotate(x, Direction::Forward);
        (y, move |g, _| [Some(rotation.rotate(g, Direction::Backward))])
    })
}

/// The sign of the angles.
#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

struct Rotation {
    table: Arc<RotaryTable>,
    /// The position of each row.
    positions: Vec<u32>,
    all_columns: usize,
    columns: usize,
    head_size: usize,
}

impl Rotation {
    /// Rotates in place. Copies x first if another tensor shares its memory.
    fn rotate(&self, mut x: FlexTensor, direction: Direction) -> FlexTensor {
        let tasks = x.storage_mut::<f32>().par_chunks_mut(self.all_columns * ROWS_PER_TASK);
        tasks.zip(self.positions.par_chunks(ROWS_PER_TASK)).for_each(|(rows, positions)| {
            Cpu::fp32().vectorize(Rotate { of: self, rows, positions, direction });
        });
        x
    }
}

struct Rotate<'a> {
    of: &'a Rotation,
    rows: &'a mut [f32],
    positions: &'a [u32],
    direction: Direction,
}

impl WithSimd for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Rotation { table, all_columns, columns, head_size, .. } = self.of;
        for (row, &position) in self.rows.chunks_exact_mut(*all_columns).zip(self.positions) {
            let angles = table.position(position as usize);
            for head in row[..*columns].chunks_exact_mut(*head_size) {
                rotate_head(simd, head, angles, self.direction);
            }
        }
    }
}

/// Rotates the pairs of one head.
#[inline(always)]
fn rotate_head<S: Simd>(simd: S, head: &mut [f32], (cos, sin): (&[f32], &[f32]), direction: Direction) {
    let (u, w) = head.split_at_mut(cos.len());
    for offset in (0..cos.len()).step_by(S::F32_LANES) {
        let (c, s) = (load(simd, cos, offset), load(simd, sin, offset));
        let s = match direction {
            Direction::Forward => s,
            Direction::Backward => simd.neg_f32s(s),
        };
        let (first, second) = (load(simd, u, offset), load(simd, w, offset));
        let minus = simd.mul_f32s(second, s);
        store(simd, u, offset, simd.sub_f32s(simd.mul_f32s(first, c), minus));
        store(simd, w, offset, simd.mul_add_e_f32s(first, s, simd.mul_f32s(second, c)));
    }
}
