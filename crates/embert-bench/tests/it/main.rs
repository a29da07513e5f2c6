//! The benchmarks as they are run: each is a process of its own.

mod parity;
