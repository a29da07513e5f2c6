//! What the operations on Burn's CPU backend share: matrix products, threads, vectors for what the processor has, memory.

mod heap;
mod lines;
pub(crate) mod maps;
pub(crate) mod math;
pub(crate) mod matmul;
mod out_of_memory;
mod packed_weights;
pub(crate) mod saved;
pub(crate) mod simd;
mod sum;
pub(crate) mod tensors;
pub(crate) mod threads;
pub(crate) mod uninit;
pub(crate) mod vectors;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

use crate::autodiff::CustomBackend;

pub use heap::{keep_freed_memory, release_freed_memory};
pub(crate) use lines::Lines;
pub use out_of_memory::ExitOutOfMemory;
pub(crate) use packed_weights::with_constant_weights;
pub use simd::instructions;
pub(crate) use simd::rounds;

impl CustomBackend for Flex {
    /// The values in order, and nothing else in the tensor's memory.
    fn input(x: FlexTensor) -> FlexTensor {
        tensors::in_order(x)
    }

    /// On all threads; Burn's own sum takes one.
    fn add_gradients(a: FlexTensor, b: FlexTensor) -> FlexTensor {
        sum::sum(a, b)
    }
}
