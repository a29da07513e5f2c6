//! Hostile files for the tests: damaged copies of good ones, and the judge of what a reader makes of them.
//!
//! Who links this crate counts every allocation, so it is for test binaries (`tests/hostile/` of each crate) alone.

mod attack;
mod damage;
mod restructure;

pub use attack::{Attack, MemoryBound};
pub use damage::damaged;
pub use restructure::{dropped_or_replaced, replaced};

#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
