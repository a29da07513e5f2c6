//! Implementations for the CPU backend, on slices.

#[cfg(feature = "flex")]
mod dropout;
