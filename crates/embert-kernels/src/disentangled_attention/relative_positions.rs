//! Relative positions of disentangled attention: each bucket of distances has one relative embedding.

/// The relative positions of DeBERTa-v2 and v3, with the names of config.json.
///
/// A distance r = i − j of query i and key j has a bucket. With mid = position_buckets / 2, the bucket is r if
/// |r| ≤ mid. Larger distances share buckets, whose width grows logarithmically up to max_relative_positions (max):
/// sign(r)·(⌈ln(|r|/mid) / ln((max − 1)/mid) · (mid − 1)⌉ + mid). This is `make_log_bucket_position` of transformers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelativePositions {
    /// The number of buckets in each direction, at least 2. `None` if each distance is its own bucket; config.json has -1
    /// then.
    pub position_buckets: Option<usize>,
    /// The distance from which on all positions share a bucket. With buckets, it is more than 1 + position_buckets / 2.
    pub max_relative_positions: usize,
}

impl RelativePositions {
    /// Returns half of the number of relative embeddings.
    pub fn span(self) -> usize {
        self.position_buckets.unwrap_or(self.max_relative_positions)
    }

    /// Returns the row of the relative embeddings for distance i − j of query i and key j:
    /// clamp(bucket + span, 0, 2·span − 1).
    pub fn row(self, distance: isize) -> usize {
        let span = self.span() as isize;
        (self.bucket(distance) + span).clamp(0, 2 * span - 1) as usize
    }

    /// Panics if the settings are invalid.
    pub(crate) fn check(self) {
        let mid = self.position_buckets.map(|buckets| buckets / 2);
        let is_valid = match mid {
            Some(mid) => mid > 0 && self.max_relative_positions > mid + 1,
            None => self.max_relative_positions > 0,
        };
        assert!(is_valid, "{self:?} must have at least 2 buckets and a maximum above half of them");
    }

    fn bucket(self, distance: isize) -> isize {
        let Some(buckets) = self.position_buckets else { return distance };
        let (mid, magnitude) = (buckets / 2, distance.unsigned_abs());
        if magnitude <= mid {
            return distance;
        }
        // In fp32, as transformers computes it
        let of_mid = |number: usize| (number as f32 / mid as f32).ln();
        let share = of_mid(magnitude) / of_mid(self.max_relative_positions - 1);
        let bucket = (share * (mid - 1) as f32).ceil() as isize + mid as isize;
        distance.signum() * bucket
    }
}
