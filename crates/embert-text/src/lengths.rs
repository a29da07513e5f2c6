//! Statistics of token counts, and the share of padding in batches.

use crate::{Padding, SamplingStrategy, training_batches};

/// Statistics of the token counts of texts. Quantiles are interpolated linearly, as in NumPy and pandas.
#[derive(Debug, Clone, PartialEq)]
pub struct LengthReport {
    /// The number of texts.
    pub count: usize,
    /// The number of tokens of all texts.
    pub total: usize,
    /// The minimum.
    pub min: usize,
    /// The 25th percentile.
    pub p25: f64,
    /// The median.
    pub p50: f64,
    /// The 75th percentile.
    pub p75: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: usize,
    /// The arithmetic mean.
    pub mean: f64,
    /// The share of texts, 0 to 1, that `max_length` 128 truncates.
    pub cut_at_128: f64,
    /// The share of texts, 0 to 1, that `max_length` 256 truncates.
    pub cut_at_256: f64,
    /// The share of texts, 0 to 1, that `max_length` 512 truncates.
    pub cut_at_512: f64,
}

impl LengthReport {
    /// Computes the statistics of lengths with special tokens, such as
    /// [`EncodedTexts::full_lengths`](crate::EncodedTexts::full_lengths). Returns `None` if there are no lengths.
    pub fn new(lengths: &[usize]) -> Option<Self> {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let total: usize = sorted.iter().sum();
        Some(Self {
            count: sorted.len(),
            total,
            min,
            p25: quantile(&sorted, 0.25),
            p50: quantile(&sorted, 0.5),
            p75: quantile(&sorted, 0.75),
            p90: quantile(&sorted, 0.9),
            p95: quantile(&sorted, 0.95),
            p99: quantile(&sorted, 0.99),
            max,
            mean: total as f64 / sorted.len() as f64,
            cut_at_128: share_above(&sorted, 128),
            cut_at_256: share_above(&sorted, 256),
            cut_at_512: share_above(&sorted, 512),
        })
    }
}

/// The share of `[PAD]` tokens, 0 to 1, in batches of truncated texts, by the kind of padding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaddingWaste {
    /// All texts padded to `max_length`.
    pub max_length: f64,
    /// Random batches, each padded to its longest text.
    pub random: f64,
    /// Batches of similar lengths, each padded to its longest text.
    pub grouped: f64,
    /// Batches of similar lengths, each padded to a multiple of 64, as on GPUs.
    pub grouped_to_64: f64,
}

impl PaddingWaste {
    /// Samples one epoch of batches and computes the share for each kind of padding. Packed batches have no padding.
    ///
    /// # Panics
    ///
    /// Panics if `batch_size` is 0.
    pub fn new(lengths: &[usize], max_length: usize, batch_size: usize, seed: u64) -> Self {
        let batches = |strategy| training_batches(lengths, batch_size, strategy, seed, 0);
        let random = batches(SamplingStrategy::Random);
        let grouped = batches(SamplingStrategy::GroupByLength);
        let share = |batches: &[Vec<usize>], padding| padding_share(lengths, batches, padding, max_length);
        Self {
            max_length: share(&random, Padding::MaxLength),
            random: share(&random, Padding::Longest),
            grouped: share(&grouped, Padding::Longest),
            grouped_to_64: share(&grouped, Padding::MultipleOf(64)),
        }
    }
}

/// Returns the share of `[PAD]` tokens, 0 to 1, in batches of rows with these lengths: 1 − tokens / padded tokens.
///
/// # Panics
///
/// Panics if a row of a batch has no length, or if `padding` is a multiple of 0.
pub fn padding_share(lengths: &[usize], batches: &[Vec<usize>], padding: Padding, max_length: usize) -> f64 {
    let (mut tokens, mut padded_tokens) = (0, 0);
    for batch in batches {
        let lengths: Vec<_> = batch.iter().map(|row| lengths[*row]).collect();
        let num_tokens = lengths.iter().sum::<usize>();
        tokens += num_tokens;
        let padded_to = padding.padded_to(&lengths, max_length);
        padded_tokens += padded_to.map_or(num_tokens, |length| length * lengths.len());
    }
    if padded_tokens == 0 { 0.0 } else { 1.0 - tokens as f64 / padded_tokens as f64 }
}

fn quantile(sorted: &[usize], q: f64) -> f64 {
    let position = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[position.floor() as usize] as f64, sorted[position.ceil() as usize] as f64);
    below + (above - below) * position.fract()
}

fn share_above(sorted: &[usize], max_length: usize) -> f64 {
    let num_complete = sorted.partition_point(|length| *length <= max_length);
    1.0 - num_complete as f64 / sorted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_equal_numpy() {
        // lengths = [7, 600, 128, 129, 30, 256, 2, 513, 300, 41]
        // numpy.quantile(lengths, [.25, .5, .75, .9, .95, .99]), numpy.mean(lengths)
        // → 32.75, 128.5, 289.0, 521.7, 560.85, 592.17; 200.6
        let report = LengthReport::new(&[7, 600, 128, 129, 30, 256, 2, 513, 300, 41]).unwrap();
        let found = [report.p25, report.p50, report.p75, report.p90, report.p95, report.p99, report.mean];
        let expected = [32.75, 128.5, 289.0, 521.7, 560.85, 592.17, 200.6];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        assert_eq!((report.count, report.total, report.min, report.max), (10, 2006, 2, 600));
        let cut = [report.cut_at_128, report.cut_at_256, report.cut_at_512];
        assert!(cut.iter().zip([0.5, 0.3, 0.2]).all(|(a, b)| (a - b).abs() < 1e-9), "{cut:?}");
    }

    #[test]
    fn without_texts_there_is_no_report_and_no_padding() {
        assert_eq!(LengthReport::new(&[]), None);
        assert_eq!(PaddingWaste::new(&[], 512, 8, 0).random, 0.0);
        assert_eq!(LengthReport::new(&[9]).unwrap().p99, 9.0);
    }

    #[test]
    fn padding_share_is_the_share_of_pad_tokens() {
        let (lengths, batches) = ([10, 2, 4, 4], [vec![0, 1], vec![2, 3]]);
        let share = |padding| padding_share(&lengths, &batches, padding, 20);
        assert_eq!(share(Padding::Packed), 0.0);
        assert!((share(Padding::Longest) - 8.0 / 28.0).abs() < 1e-12);
        assert!((share(Padding::MultipleOf(8)) - 28.0 / 48.0).abs() < 1e-12);
        assert!((share(Padding::MaxLength) - 60.0 / 80.0).abs() < 1e-12);
    }

    #[test]
    fn grouped_batches_have_less_padding_than_random_ones() {
        let lengths: Vec<_> = (0..2000).map(|row| 3 + (row * 7919) % 500).collect();
        let waste = PaddingWaste::new(&lengths, 512, 8, 42);
        assert!(waste.grouped < 0.05 && waste.random > 0.3 && waste.max_length > waste.random, "{waste:?}");
        assert!(waste.grouped < waste.grouped_to_64 && waste.grouped_to_64 < waste.random, "{waste:?}");
    }
}
