//! Computes launches of translated kernels on the CPU.
//!
//! Blocks run on several threads of the system. The threads of a block run one after the other: as a loop in the
//! translated kernel if none waits for another, else as coroutines that the emulator resumes warp by warp.

mod block;
mod collective;
mod compute;
mod fault;
mod job;
mod lanes;
mod matrix;
mod memory;
mod mma;
mod multiply;
mod number;
mod pool;
mod print;
mod shuffle;
mod thread;
mod warp;
mod wmma;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

pub(crate) use collective::{Barrier, Collective, Reduction, Shuffle, Site, Vote};
pub(crate) use matrix::{Element, Fragment, Product, Shape};

use crate::to_c::Kernel;

/// The most threads of a block.
pub(crate) const MAX_THREADS: usize = 1024;

/// Room on a thread's stack for the functions that a kernel calls, such as those of the mathematical library.
const STACK_OF_CALLS: usize = 48 << 10;

/// A kernel that can be launched.
pub(crate) struct Program {
    pub(crate) kernel: Kernel,
    pub(crate) sites: Arc<Vec<Site>>,
    /// The function `run_` of the compiled translation, which stays loaded.
    pub(crate) run: *const std::ffi::c_void,
}

// SAFETY: `run` is the address of code, which any thread may call.
unsafe impl Send for Program {}
// SAFETY: as above; nothing changes a program after it is made.
unsafe impl Sync for Program {}

/// Computes a launch. Returns when all blocks have ended.
pub(crate) fn launch(
    program: &Program,
    grid: [u32; 3],
    block: [u32; 3],
    dynamic_shared_bytes: u32,
    parameters: Vec<u128>,
) {
    let kernel = &program.kernel;
    // SAFETY: `run` is the address of the function `run_` of the translation, whose signature in C is this one.
    let run = unsafe { std::mem::transmute::<*const std::ffi::c_void, job::Run>(program.run) };
    let job = job::Job {
        name: kernel.name.clone(),
        run,
        sites: Arc::clone(&program.sites),
        grid,
        block,
        shared_bytes: kernel.static_shared_bytes + dynamic_shared_bytes as usize,
        dynamic_shared_bytes,
        has_collectives: kernel.has_collectives,
        stack_bytes: kernel.stack_bytes + STACK_OF_CALLS,
        parameters,
        next: AtomicUsize::new(0),
        chunk: 1,
    };
    pool::run(job);
}

/// Whether a block fits into the emulator's shared memory.
pub(crate) fn fits_shared(program: &Program, dynamic_shared_bytes: u32) -> bool {
    program.kernel.static_shared_bytes + dynamic_shared_bytes as usize <= memory::SharedMemory::BYTES
}

/// Ends the process: the kernel did what has no defined result.
fn fail(message: &str) -> ! {
    eprintln!("embert-standin: {message}");
    std::process::abort();
}
