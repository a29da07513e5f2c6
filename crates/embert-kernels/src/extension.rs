//! The one trait through which a Burn backend may bring its own implementation of an operation.
//!
//! A method's default body is a composition of primitives, which every backend has; `Flex` (the CPU) overrides
//! it with code on slices.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, Backend, backend_extension};

use crate::reference;

#[backend_extension(Flex: cfg(feature = "flex"), Cube: cfg(feature = "cube"), Autodiff)]
pub(crate) trait KernelOps: Backend {
    /// The dropout mask `[rows, columns]` for row keys `[rows, 1]` of 32-bit integers.
    fn dropout_mask(keys: IntTensor<Self>, columns: usize, rate: f64) -> FloatTensor<Self> {
        reference::dropout_mask::<Self>(keys, columns, rate)
    }
}

#[cfg(feature = "cube")]
impl KernelOps for burn::backend::Cube {}

impl<B: KernelOps, C: CheckpointStrategy> KernelOps for Autodiff<B, C> {
    /// A mask is a constant: nothing flows back into it.
    fn dropout_mask(keys: IntTensor<Self>, columns: usize, rate: f64) -> FloatTensor<Self> {
        Self::from_inner(B::dropout_mask(keys, columns, rate))
    }
}
