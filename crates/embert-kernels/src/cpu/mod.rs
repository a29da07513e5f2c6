//! The operations on slices, for Burn's CPU backend: packed, threaded, vectorized for what the processor has.

mod adamw;
mod attention;
mod cross_entropy;
mod dropout;
mod embeddings;
mod flex;
mod gelu;
mod heap;
mod layer_norm;
mod linear;
mod lines;
mod low_rank;
mod math;
mod memory;
mod optimizer;
mod out_of_memory;
mod packed_weights;
mod product;
mod rows;
mod saved;
mod simd;
mod sum;
mod tape;
mod threads;
mod uninit;
mod vectors;

use std::sync::Arc;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device, Tensor};

pub(crate) use attention::{Heads, Queries};
pub use heap::{keep_freed_memory, release_freed_memory};
pub(crate) use optimizer::{adamw, sum_of_squares};
pub use out_of_memory::ExitOutOfMemory;
pub(crate) use packed_weights::with_constant_weights;
pub use simd::instructions;
pub(crate) use simd::rounds;

/// A dropout mask: a key for each row, and the rate.
#[derive(Clone)]
pub(crate) struct Mask {
    pub(crate) keys: Arc<[u32]>,
    pub(crate) rate: f64,
}

/// Which rows of the embedding tables each token reads.
#[derive(Clone)]
pub(crate) struct TokenRows {
    pub(crate) ids: Arc<[u32]>,
    pub(crate) positions: Arc<[u32]>,
}

/// Whether the operations of this module compute a tensor: one of Burn's CPU backend, in fp32.
pub(crate) fn computes<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_cpu(&x.device())
}

/// Whether a device is that of Burn's CPU backend.
pub(crate) fn is_cpu(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
}
