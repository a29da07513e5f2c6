#![doc = include_str!("../README.md")]

mod byte_mutations;
mod fuzz_target;
mod json_mutations;

pub use byte_mutations::damaged;
pub use fuzz_target::{FuzzTarget, MemoryBound};
pub use json_mutations::{dropped_or_replaced, replaced};

#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;
