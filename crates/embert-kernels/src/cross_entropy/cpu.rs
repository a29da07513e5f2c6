//! Cross-entropy on the CPU: L = −Σᵢ꜀ Tᵢ꜀ · log pᵢ꜀ with p = softmax(x), and dx = g · (p · Σ꜀T − T).

use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Tensor;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::autodiff::custom_op;
use crate::cpu::math::exp;
use crate::cpu::output_buffer::{OutputBuffer, Writer};
use crate::cpu::simd::Cpu;
use crate::cpu::tensors::{as_slice, from_vec};
use crate::cpu::vectors::{load, store};

/// The number of rows in one task. The order of addition of the loss depends on it.
const ROWS_PER_TASK: usize = 64;

pub(super) fn cross_entropy_sum(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let inputs = [logits.into_dispatch(), targets.detach().into_dispatch()];
    custom_op::<Flex, 2, 1, _>(inputs, |[logits, targets], _| {
        let (cpu, shape) = (Cpu::fp32(), logits.shape().dims::<2>());
        let loss = sum(cpu, as_slice(&logits), as_slice(&targets), shape[1]);
        let backward_fn = move |g, _| {
            let dx = gradient(cpu, as_slice(&logits), as_slice(&targets), shape[1], as_slice(&g)[0]);
            [Some(from_vec(dx, shape)), None]
        };
        (from_vec(vec![loss], [1]), backward_fn)
    })
}

/// Returns the sum of the losses of all rows.
fn sum(cpu: Cpu, logits: &[f32], targets: &[f32], columns: usize) -> f32 {
    let task = columns * ROWS_PER_TASK;
    let chunks = logits.par_chunks(task).zip(targets.par_chunks(task));
    let losses = chunks.map(|(logits, targets)| cpu.vectorize(LossSum { logits, targets, columns }));
    losses.collect::<Vec<_>>().into_iter().sum()
}

/// Returns the gradient of the logits. `g` is the gradient of the sum.
fn gradient(cpu: Cpu, logits: &[f32], targets: &[f32], columns: usize, g: f32) -> Vec<f32> {
    let mut dx = OutputBuffer::new(logits.len());
    let task = columns * ROWS_PER_TASK;
    let inputs = logits.par_chunks(task).zip(targets.par_chunks(task));
    let tasks = dx.writers(task).into_par_iter().zip(inputs);
    tasks.for_each(|(dx, (logits, targets))| cpu.vectorize(Backward { dx, logits, targets, columns, g }));
    dx.into_vec()
}

/// Writes e^(x − max x) of a row to `exponentials`. Returns max x and the sum of the exponentials.
#[inline(always)]
fn exponentials<S: Simd>(simd: S, logits: &[f32], exponentials: &mut [f32]) -> (f32, f32) {
    let larger = |max: f32, logit: f32| if logit > max || logit.is_nan() { logit } else { max };
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, larger);
    for offset in (0..logits.len()).step_by(S::F32_LANES) {
        store(
            simd,
            exponentials,
            offset,
            exp(simd, simd.sub_f32s(load(simd, logits, offset), simd.splat_f32s(max))),
        );
    }
    let nan_or_zero = 0.0 * max; // NaN if a logit is NaN or infinite, otherwise 0
    (max, exponentials.iter().sum::<f32>() + nan_or_zero)
}

struct LossSum<'a> {
    logits: &'a [f32],
    targets: &'a [f32],
    columns: usize,
}

impl WithSimd for LossSum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let mut scratch = vec![0.0; self.columns];
        let rows = self.logits.chunks_exact(self.columns).zip(self.targets.chunks_exact(self.columns));
        let losses = rows.map(|(logits, targets)| {
            let (max, sum) = exponentials(simd, logits, &mut scratch);
            let log_sum = sum.ln();
            let terms = logits.iter().zip(targets);
            terms.map(|(logit, target)| target * (log_sum - (logit - max))).sum::<f32>()
        });
        losses.sum()
    }
}

struct Backward<'a> {
    dx: Writer<'a>,
    logits: &'a [f32],
    targets: &'a [f32],
    columns: usize,
    g: f32,
}

impl WithSimd for Backward<'_> {
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
