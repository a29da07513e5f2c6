//! Computes small kernels through the functions of the driver, and compares with plain Rust.

mod atomics;
mod collectives;
mod elementwise;
mod errors;
mod faults;
mod functions;
mod gpu;
mod graphs;
mod instructions;
mod matrices;
mod record;
