//! Randomness by counter: a hash instead of a state, so that any value can be drawn again at any time.

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): a bijection of 64 bits that leaves no pattern.
pub fn mix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
