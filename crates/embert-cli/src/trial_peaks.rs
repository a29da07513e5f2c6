//! Measures the peak memory of parts of the largest micro-batch, and extrapolates it.

use std::iter::{once, successors};
use std::ops::ControlFlow;

use embert_inference::{InferenceError, predict};
use embert_train::{Model, TrainConfig, TrainData, TrialStep, heaviest_micro_batch, trial_step};

use crate::machine::{peak_while, release_freed_memory};

/// Peak memory of a run in bytes, measured for some sizes of the micro-batch.
///
/// The backward pass frees activations and allocates gradients: peak(tokens) = base + maxₜ(aₜ·tokens + gₜ). This is convex
/// in tokens, so the peak of a larger size is at least the line through the last two measurements, and at most the line
/// through the base and the last measurement, scaled.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrialPeaks {
    /// Bytes of the process before a step, accumulated gradients included.
    base: u64,
    /// Tokens of a micro-batch and peak bytes of the process, in increasing order.
    steps: Vec<(usize, u64)>,
    /// Peak bytes of the process in the largest evaluation batch.
    evaluation: u64,
    /// Bytes of AdamW's moments, and of the best model if it is kept.
    state: u64,
}

impl TrialPeaks {
    /// Runs the longest text, then the first 2, 4, 8, ... rows of the largest micro-batch.
    ///
    /// Stops if `continues` returns false for the number of tokens of the next part. Returns `None` if the system does not
    /// report memory, or if the settings are invalid.
    pub(crate) fn measure(
        model: &Model,
        data: &TrainData<'_>,
        config: &TrainConfig,
        before: u64,
        continues: impl Fn(&Self, usize) -> bool,
    ) -> Option<Self> {
        let lengths = data.train.texts.lengths();
        let longest = [(0..lengths.len()).max_by_key(|&row| lengths[row])?];
        let rows = heaviest_micro_batch(&lengths, config);
        let mut peaks = Self { evaluation: evaluation_peak(model, data, config)?, ..Self::default() };
        for part in once(&longest[..]).chain(doubled(&rows)) {
            let tokens: usize = part.iter().map(|&row| lengths[row]).sum();
            match peaks.steps.last() {
                Some(&(measured, _)) if tokens <= measured => continue,
                Some(_) if !continues(&peaks, tokens) => break,
                _ => {}
            }
            let accumulates = config.auto_find_batch_size || config.gradient_accumulation_steps > 1;
            let micro_batches = if accumulates { vec![&longest[..], part] } else { vec![part] };
            let mut trained = None;
            release_freed_memory();
            let peak = peak_while(|| trained = trial_step(model, data, config, &micro_batches).ok())?;
            let TrialStep { gradient_values, moment_values, trainable_values } = trained?;
            let bytes = |values: usize| (values * size_of::<f32>()) as u64;
            peaks.base = before + if accumulates { bytes(gradient_values) } else { 0 };
            let best_model = if config.load_best_model_at_end { trainable_values } else { 0 };
            peaks.state = bytes(2 * moment_values + best_model);
            peaks.steps.push((tokens, peak));
        }
        Some(peaks)
    }

    /// Returns an upper bound of the peak with this number of tokens in the largest micro-batch.
    pub(crate) fn at_most(&self, tokens: usize) -> u64 {
        let (measured, peak) = self.largest();
        self.with_state(tokens, || line((0, self.base), (measured, peak), tokens))
    }

    /// Returns a lower bound of the same peak.
    pub(crate) fn at_least(&self, tokens: usize) -> u64 {
        self.with_state(tokens, || match self.steps[..] {
            [.., before_last, last] => line(before_last, last, tokens),
            _ => self.largest().1,
        })
    }

    fn with_state(&self, tokens: usize, beyond: impl FnOnce() -> u64) -> u64 {
        let measured = self.steps.iter().find(|(measured, _)| *measured >= tokens);
        self.state + measured.map_or_else(beyond, |(_, peak)| *peak).max(self.evaluation)
    }

    fn largest(&self) -> (usize, u64) {
        *self.steps.last().expect("at least one text was run")
    }
}

/// Returns the first 2, 4, 8, ... rows, and last all rows.
fn doubled(rows: &[usize]) -> impl Iterator<Item = &[usize]> {
    let counts = successors(Some(2), move |count| (*count < rows.len()).then_some(2 * count));
    counts.map(move |count| &rows[..count.min(rows.len())])
}

/// Returns the peak of the first evaluation batch, which has the longest texts.
fn evaluation_peak(model: &Model, data: &TrainData<'_>, config: &TrainConfig) -> Option<u64> {
    let Some(eval) = data.eval else { return Some(0) };
    let batching = config.evaluation_batching(eval.texts.limit().max_length(), data.padding);
    let first_batch = &mut |_| Ok::<_, InferenceError>(ControlFlow::Break(()));
    peak_while(|| drop(predict(model, eval.texts, batching, first_batch)))
}

/// Extrapolates the line through two points to `tokens`.
fn line((t0, bytes0): (usize, u64), (t1, bytes1): (usize, u64), tokens: usize) -> u64 {
    let slope = bytes1.saturating_sub(bytes0) as f64 / (t1 - t0) as f64;
    bytes1 + (slope * (tokens - t1) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_of_larger_sizes_are_between_two_lines() {
        let peaks =
            |steps: &[(usize, u64)]| TrialPeaks { base: 100, steps: steps.to_vec(), ..TrialPeaks::default() };
        let one = peaks(&[(10, 150)]);
        assert_eq!([one.at_least(5), one.at_least(20)], [150, 150]);
        assert_eq!([one.at_most(5), one.at_most(20)], [150, 200]);
        let two = peaks(&[(10, 150), (20, 160)]);
        assert_eq!([two.at_least(10), two.at_least(15), two.at_least(40)], [150, 160, 180]);
        assert_eq!([two.at_most(10), two.at_most(15), two.at_most(40)], [150, 160, 220]);
        let evaluating = TrialPeaks { evaluation: 190, state: 7, ..two };
        assert_eq!([evaluating.at_most(20), evaluating.at_most(40)], [197, 227]);
    }
}
