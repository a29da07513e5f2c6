//! Work in which weights stay as they are.

/// Runs `work`, in which operations in bf16 on Burn's CPU backend pack each weight once in each orientation, however
/// often this thread uses it: for several micro-batches of one step, or for the batches of an evaluation. That costs the
/// memory of the packed weights, half of that of the weights for each orientation.
///
/// No result changes by it. Weights may change in `work`; they are packed anew then.
pub fn with_constant_weights<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(feature = "flex")]
    return crate::cpu::with_constant_weights(work);
    #[cfg(not(feature = "flex"))]
    work()
}
