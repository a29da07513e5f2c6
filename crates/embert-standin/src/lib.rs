//! A stand-in for the CUDA driver.
//!
//! As a `cdylib` named `libcuda.so.1` it is loaded by programs that use CUDA's driver interface. It describes itself as
//! an NVIDIA H200, records what a program asks of it, and computes kernels on the CPU: it translates their PTX to C.

#![cfg(target_os = "linux")]

mod clock;
mod compile;
pub mod driver;
mod emulator;
mod log;
mod ptx;
pub mod settings;
mod to_c;
