//! A scope in which packed weights are cached.

/// Runs `work` and caches packed weights until it returns.
///
/// Inside, bf16 products on Burn's CPU backend pack each weight once for each orientation and reuse the
/// result on this thread. Use it around the micro-batches of one step or the batches of an evaluation. The
/// cache takes half the memory of the weights for each orientation.
///
/// Results are bit-identical with and without the cache. If `work` changes a weight, the weight is packed
/// again.
pub fn with_constant_weights<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "flex")]
    return crate::cpu::with_constant_weights(work);
    #[cfg(not(feature = "flex"))]
    work()
}
