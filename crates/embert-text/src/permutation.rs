//! Seeded permutations: a Fisher–Yates shuffle with Lemire's bounded numbers from SplitMix64.
//!
//! SplitMix64 mixes a counter, `mix(key + n·γ)`. So a permutation is a pure function of (seed, epoch, stream).

/// The use of a permutation. Streams of one epoch are independent.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Rows = 1,
    Batches = 2,
}

/// Returns a random order of `0..len`. All orders are equally likely.
pub(crate) fn permutation(len: usize, seed: u64, epoch: u64, stream: Stream) -> Vec<usize> {
    let mut numbers = SplitMix64::new(seed, epoch, stream);
    let mut order: Vec<usize> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last, numbers.below(last as u64 + 1) as usize);
    }
    order
}

/// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64 {
    counter: u64,
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

impl SplitMix64 {
    fn new(seed: u64, epoch: u64, stream: Stream) -> Self {
        let parts = [seed, epoch, stream as u64];
        let key = parts.into_iter().fold(0, |key: u64, part| mix(key.wrapping_add(part).wrapping_add(GAMMA)));
        Self { counter: key }
    }

    fn next(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(GAMMA);
        mix(self.counter)
    }

    /// Returns a uniform number below `bound`: Lemire, "Fast random integer generation in an interval", 2019.
    fn below(&mut self, bound: u64) -> u64 {
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            // The lowest 2^64 mod bound values would make some numbers more likely.
            if product as u64 >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_equal_splitmix64() {
        // java.util.SplittableRandom(1234567) and Vigna's splitmix64.c from state 1234567.
        let mut numbers = SplitMix64 { counter: 1_234_567 };
        assert_eq!([numbers.next(), numbers.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn every_order_of_four_is_about_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            *counts.entry(permutation(4, 7, epoch, Stream::Rows)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        // Each count is 1,000 ± 31; the bounds are five standard deviations.
        assert!(counts.values().all(|count| (845..1155).contains(count)), "{counts:?}");
    }

    #[test]
    fn seed_epoch_and_stream_each_change_the_order() {
        let order = |seed, epoch, stream| permutation(50, seed, epoch, stream);
        let first = order(1, 2, Stream::Rows);
        assert_eq!(first, order(1, 2, Stream::Rows));
        for other in [
            order(2, 2, Stream::Rows),
            order(1, 3, Stream::Rows),
            order(2, 1, Stream::Rows),
            order(1, 2, Stream::Batches),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn zero_and_one_rows_have_one_order() {
        assert!(permutation(0, 0, 0, Stream::Rows).is_empty());
        assert_eq!(permutation(1, 0, 0, Stream::Rows), [0]);
    }
}
