//! Relative position bias of MPNet (Song et al., 2020): each head adds a number to the score of query i and key j, and
//! the number depends on the bucket of i − j. All layers share the table of these numbers.

use burn::tensor::{Tensor, TensorData};
use embert_kernels::SequenceLayout;

/// The number of buckets, for both directions.
pub(crate) const NUM_BUCKETS: usize = 32;

/// Distance from which on all positions share a bucket.
const MAX_DISTANCE: usize = 128;

/// Returns the biases of all distances in a batch, `[2 · longest − 1, heads]`: row i − j + longest − 1.
///
/// # Shapes
/// - `table`: `[32, heads]`
pub(crate) fn relative_bias(table: Tensor<2>, layout: &SequenceLayout) -> Tensor<2> {
    let longest = layout.longest() as isize;
    let buckets = (1 - longest..longest).map(|distance| bucket(distance) as i32).collect::<Vec<_>>();
    let buckets = TensorData::new(buckets, [(2 * layout.longest()).saturating_sub(1)]);
    table.clone().select(0, Tensor::from_data(buckets, &table.device()))
}

/// Returns the bucket of distance i − j: `relative_position_bucket` of transformers. Distances up to 7 have a bucket of
/// their own. The widths of the others grow logarithmically. Keys after the query have the second half of the buckets.
fn bucket(distance: isize) -> usize {
    let (half, magnitude) = (NUM_BUCKETS / 2, distance.unsigned_abs());
    let exact = half / 2;
    let bucket = if magnitude < exact { magnitude } else { logarithmic_bucket(magnitude, half, exact) };
    if distance < 0 { half + bucket } else { bucket }
}

/// In fp32, as transformers computes it.
fn logarithmic_bucket(magnitude: usize, half: usize, exact: usize) -> usize {
    let range = (MAX_DISTANCE as f64 / exact as f64).ln() as f32;
    let share = (magnitude as f32 / exact as f32).ln() / range;
    (half - 1).min(exact + (share * (half - exact) as f32) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first distance of each bucket, from `MPNetEncoder.relative_position_bucket` (transformers 5.24.0) on the
    /// distances 0 to 2,000. The other direction adds 16.
    const FIRST: [usize; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];

    #[test]
    fn buckets_are_those_of_transformers() {
        for distance in 0..2000 {
            let expected = FIRST.iter().rposition(|&first| first <= distance).unwrap();
            assert_eq!(bucket(distance as isize), expected, "distance {distance}");
            let after = if distance > 0 { 16 + expected } else { 0 };
            assert_eq!(bucket(-(distance as isize)), after, "distance -{distance}");
        }
    }
}
