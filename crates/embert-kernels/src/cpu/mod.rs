//! Shared code of the operations on Burn's CPU backend: matrix products, threads, SIMD and memory.

mod add;
mod aligned_buffer;
pub(crate) mod linear;
mod malloc;
pub(crate) mod math;
pub(crate) mod matmul;
mod out_of_memory;
pub(crate) mod output_buffer;
mod packed_weights;
pub(crate) mod saved_tensor;
pub(crate) mod simd;
pub(crate) mod tensors;
pub(crate) mod threads;
pub(crate) mod vectors;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;

use crate::autodiff::CustomBackend;

pub(crate) use add::add;
pub(crate) use aligned_buffer::AlignedBuffer;
pub use malloc::{keep_freed_memory, release_freed_memory};
pub use out_of_memory::ExitOutOfMemory;
pub(crate) use packed_weights::with_constant_weights;
pub use simd::instructions;
pub(crate) use simd::rounds_operands;

impl CustomBackend for Flex {
    /// Makes the tensor contiguous, with nothing else in its memory.
    fn input(x: FlexTensor) -> FlexTensor {
        tensors::contiguous(x)
    }

    /// Uses all threads. Burn's own addition uses one.
    fn add_gradients(a: FlexTensor, b: FlexTensor) -> FlexTensor {
        add::add(a, b)
    }
}
