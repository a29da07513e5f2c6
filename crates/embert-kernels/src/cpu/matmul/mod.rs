//! Matrix products: C = A·B, optionally + bias, as in BLIS and GotoBLAS.
//!
//! Operands are packed into panels, and blocks of panels stay in the caches. Each thread computes blocks of
//! C. The order of addition for an element of C depends only on k, never on the threads.

mod amx;
mod bf16;
mod blocking;
mod f32;
mod kernel;
mod matrix;
mod pack;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod transpose;

#[cfg(target_arch = "x86_64")]
pub(crate) use amx::Amx;
#[cfg(target_arch = "x86_64")]
pub(crate) use bf16::Bf16;
pub(crate) use blocking::{ColumnBlock, PackedB, multiply};
pub(crate) use f32::F32;
pub(crate) use kernel::{Kernel, Panels, Tile, TileInit};
pub(crate) use matrix::{Matrix, MatrixMut};
