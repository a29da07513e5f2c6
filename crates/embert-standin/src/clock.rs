//! The time that events read. It does not depend on how long anything takes.

use std::sync::atomic::{AtomicU64, Ordering};

/// Microseconds.
static CLOCK: AtomicU64 = AtomicU64::new(0);
static LAUNCHES: AtomicU64 = AtomicU64::new(0);

/// Goes on by the pretended time of a kernel: 1 ms with tensor-core instructions, 5 ms without, so that tuning prefers
/// the former. Up to 2 microseconds differ, so that no two are exactly as fast.
pub(crate) fn pass_launch(uses_tensor_cores: bool) {
    let launch = LAUNCHES.fetch_add(1, Ordering::Relaxed);
    let microseconds = if uses_tensor_cores { 1000 + launch % 3 } else { 5000 };
    CLOCK.fetch_add(microseconds, Ordering::Relaxed);
}

pub(crate) fn microseconds() -> u64 {
    CLOCK.load(Ordering::Relaxed)
}
