//! L = −Σᵢ꜀ Tᵢ꜀ · log pᵢ꜀ with p = softmax(x), and dx = g · (p · Σ꜀T − T).

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::operation;
use crate::cpu::math::exp;
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{floats, tensor};
use crate::cpu::uninit::{Uninit, Writer};
use crate::cpu::vectors::{load, store};

/// Rows that one task takes; the order of the loss's sum depends on it.
const ROWS_PER_TASK: usize = 64;

pub(super) fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let inputs = [logits.into_dispatch(), targets.detach().into_dispatch()];
    operation::<Flex, 2, 1, _>(inputs, |[logits, targets], _| {
        let (cpu, shape) = (Cpu::fp32(), logits.shape().dims::<2>());
        let loss = sum(cpu, floats(&logits), floats(&targets), shape[1]);
        let derivative = move |g, _| {
            let dx = gradient(cpu, floats(&logits), floats(&targets), shape[1], floats(&g)[0]);
            [Some(tensor(dx, shape)), None]
        };
        (tensor(vec![loss], [1]), derivative)
    })
}

/// The sum over all rows, of `columns` logits each.
fn sum(cpu: Cpu, logits: &[f32], targets: &[f32], columns: usize) -> f32 {
    let task = columns * ROWS_PER_TASK;
    let chunks = logits.par_chunks(task).zip(targets.par_chunks(task));
    let losses = chunks.map(|(logits, targets)| cpu.vectors(Losses { logits, targets, columns }));
    losses.collect::<Vec<_>>().into_iter().sum()
}

/// The gradient of the logits, for that of the sum.
fn gradient(cpu: Cpu, logits: &[f32], targets: &[f32], columns: usize, g: f32) -> Vec<f32> {
    let mut dx = Uninit::new(logits.len());
    let task = columns * ROWS_PER_TASK;
    let inputs = logits.par_chunks(task).zip(targets.par_chunks(task));
    let tasks = dx.writers(task).into_par_iter().zip(inputs);
    tasks.for_each(|(dx, (logits, targets))| cpu.vectors(Back { dx, logits, targets, columns, g }));
    dx.finish()
}

/// max x and Σ e^(x − max x) of a row, whose exponentials go into `exponentials`.
#[inline(always)]
fn exponentials<S: Simd>(simd: S, logits: &[f32], exponentials: &mut [f32]) -> (f32, f32) {
    let greater = |most: f32, logit: f32| if logit > most || logit.is_nan() { logit } else { most };
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, greater);
    for at in (0..logits.len()).step_by(S::F32_LANES) {
        store(
            simd,
            exponentials,
            at,
            exp(simd, simd.sub_f32s(load(simd, logits, at), simd.splat_f32s(most))),
        );
    }
    let not_a_number = 0.0 * most; // NaN where a logit is NaN or infinite, else 0
    (most, exponentials.iter().sum::<f32>() + not_a_number)
}

struct Losses<'a> {
    logits: &'a [f32],
    targets: &'a [f32],
    columns: usize,
}

impl WithSimd for Losses<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let mut scratch = vec![0.0; self.columns];
        let rows = self.logits.chunks_exact(self.columns).zip(self.targets.chunks_exact(self.columns));
        let losses = rows.map(|(logits, targets)| {
            let (most, sum) = exponentials(simd, logits, &mut scratch);
            let log_sum = sum.ln();
            let terms = logits.iter().zip(targets);
            terms.map(|(logit, target)| target * (log_sum - (logit - most))).sum::<f32>()
        });
        losses.sum()
    }
}

struct Back<'a> {
    dx: Writer<'a>,
    logits: &'a [f32],
    targets: &'a [f32],
    columns: usize,
    g: f32,
}

impl WithSimd for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut scratch = vec![0.0; self.columns];
        let rows = self.logits.chunks_exact(self.columns).zip(self.targets.chunks_exact(self.columns));
        for (logits, targets) in rows {
            let (_, sum) = exponentials(simd, logits, &mut scratch);
            let scale = targets.iter().sum::<f32>() / sum;
            self.dx.extend(scratch.iter().zip(targets).map(|(e, target)| self.g * (e * scale - target)));
        }
    }
}
