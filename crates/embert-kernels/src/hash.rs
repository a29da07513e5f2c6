//! Hash functions: SplitMix64's finalizer for counter-based random numbers, and FNV-1a.

/// The finalizer of SplitMix64, a well-mixing bijection on 64 bits (Steele, Lea and Flood, 2014).
pub fn mix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The offset basis of FNV-1a.
pub const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Adds `x` to an FNV-1a hash: (hash ⊕ x) · prime (Fowler, Noll and Vo). It mixes 64 bits at a time, not
/// bytes.
pub fn fnv1a(hash: u64, x: u64) -> u64 {
    (hash ^ x).wrapping_mul(0x0000_0100_0000_01b3)
}
