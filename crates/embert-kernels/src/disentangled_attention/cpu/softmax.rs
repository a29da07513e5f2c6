//! The softmax of a tile of scores and its gradient, with the scale of disentangled attention.

use pulp::{Simd, WithSimd};

use super::batch::{QueryTile, Settings};
use crate::attention::cpu::backward::QueryVector;
use crate::attention::cpu::forward::{column_maximum, exponentials};
use crate::attention::cpu::heads::HeadTask;
use crate::attention::cpu::packed_operand::MAX_QUERIES;
use crate::cpu::vectors::{load, store};
use crate::dropout::cpu::MaskGenerator;

/// Replaces scores, `[keys, queries]`, by mask ∘ e^(scale · score − maximum).
pub(super) struct Softmax<'a> {
    pub(super) scores: &'a mut [f32],
    pub(super) settings: &'a Settings,
    pub(super) task: HeadTask,
    pub(super) tile: QueryTile,
}

impl WithSimd for Softmax<'_> {
    /// 1/Σ and the log-sum-exp for each query.
    type Output = [(f32, f32); MAX_QUERIES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Self { scores, settings: &Settings { ref heads, scale, .. }, task, tile } = self;
        let mut dropout_keys = [0u32; MAX_QUERIES];
        heads.dropout_keys(task, tile.first, &mut dropout_keys[..tile.stride]);
        let generator = heads.rate().map(|rate| MaskGenerator::new(simd, rate));
        let mut sums = [(0.0, 0.0); MAX_QUERIES];
        for lane in (0..tile.stride).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let max = column_maximum(simd, scores, tile.stride, lane);
            let max = simd.mul_f32s(max, simd.splat_f32s(scale));
            let mask = generator.map(|generator| (generator, rows));
            let rows = scores.chunks_exact_mut(tile.stride).zip(0..);
            let sum = exponentials(simd, rows, lane, scale, max, mask);
            let (mut max_of, mut sum_of) = ([0.0; MAX_QUERIES], [0.0; MAX_QUERIES]);
            store(simd, &mut max_of, 0, max);
            store(simd, &mut sum_of, 0, sum);
            for i in 0..S::F32_LANES {
                sums[lane + i] = (1.0 / sum_of[i], max_of[i] + sum_of[i].ln());
            }
        }
        sums
    }
}

/// Replaces scores by P̃ = mask∘P, and dO·Vᵀ by dS = P∘(dP − D)·scale, all `[keys, queries]`.
pub(super) struct ScoreGradients<'a> {
    pub(super) probabilities: &'a mut [f32],
    pub(super) dscores: &'a mut [f32],
    /// The log-sum-exp of all queries and heads.
    pub(super) log_sum_exp: &'a [f32],
    pub(super) settings: &'a Settings,
    pub(super) task: HeadTask,
    pub(super) tile: QueryTile,
}

impl WithSimd for ScoreGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { settings: &Settings { ref heads, scale, .. }, task, tile, .. } = self;
        let mut log_sum_exp = [f32::MAX; MAX_QUERIES]; // P = 0 for the lanes after the last query
        for (i, log_sum) in log_sum_exp.iter_mut().enumerate().take(tile.count) {
            *log_sum = self.log_sum_exp[(task.start + tile.first + i) * heads.num_heads + task.head];
        }
        let mut dropout_keys = [0u32; MAX_QUERIES];
        heads.dropout_keys(task, tile.first, &mut dropout_keys[..tile.stride]);
        let generator = heads.rate().map(|rate| MaskGenerator::new(simd, rate));
        for lane in (0..tile.stride).step_by(S::F32_LANES) {
            let rows = simd.partial_load_u32s(&dropout_keys[lane..lane + S::U32_LANES]);
            let column = QueryVector {
                stride: tile.stride,
                lane,
                first_key: 0,
                scale: simd.splat_f32s(scale),
                log_sum: load(simd, &log_sum_exp, lane),
                mask: generator.map(|generator| (generator, rows)),
            };
            let dots = column.probabilities(simd, self.probabilities, self.dscores);
            column.dscores(simd, self.probabilities, self.dscores, dots, heads.kept_scale());
        }
    }
}
