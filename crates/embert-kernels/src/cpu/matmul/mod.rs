//! Matrix products: C = A·B, or + bias. Operands are packed into panels, blocks of them stay in the caches, and
//! threads take blocks of rows.
//!
//! The order in which an element of C is summed depends on k alone: never on the threads.

mod bf16;
mod blocks;
mod f32;
mod kernel;
mod matrix;
mod pack;
#[cfg(target_arch = "x86_64")]
mod transpose;

#[cfg(target_arch = "x86_64")]
pub(crate) use bf16::Bf16;
pub(crate) use blocks::{Packed, Part, multiply};
pub(crate) use f32::F32;
pub(crate) use kernel::{From, Kernel, Panels, Tile};
pub(crate) use matrix::{Matrix, MatrixMut};
