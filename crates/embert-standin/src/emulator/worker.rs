//! A worker runs blocks of a launch, one after the other, on one thread of the system.

use std::sync::atomic::Ordering;

use super::block::{BlockRun, ThreadCoroutine};
use super::job::Job;
use super::memory::{SharedMemory, Stacks};
use super::thread::{Block, Thread};
use super::{MAX_THREADS, fault, print};

/// The state of a worker. It is kept between launches.
pub(super) struct Worker {
    shared: SharedMemory,
    /// Those of the last block, which have ended. They go before their stacks.
    coroutines: Vec<ThreadCoroutine>,
    stacks: Option<Stacks>,
    threads: Vec<Thread>,
}

// SAFETY: a worker moves to another thread of the system only between launches. Then all its coroutines have ended, and
// nothing reads the addresses in its threads before the next launch has set them.
unsafe impl Send for Worker {}

impl Worker {
    pub(super) fn new() -> Self {
        let threads = std::iter::repeat_with(Thread::new).take(MAX_THREADS).collect();
        Self { shared: SharedMemory::new(), stacks: None, coroutines: Vec::new(), threads }
    }

    /// Runs blocks until none is left.
    pub(super) fn work(&mut self, job: &Job) {
        let blocks = job.blocks();
        loop {
            let first = job.next.fetch_add(job.chunk, Ordering::Relaxed);
            if first >= blocks {
                return fault::leave();
            }
            for index in first..(first + job.chunk).min(blocks) {
                self.run_block(job, index);
            }
        }
    }

    fn run_block(&mut self, job: &Job, index: usize) {
        let [x, y] = [job.grid[0] as usize, job.grid[1] as usize];
        let ctaid = [index % x, index / x % y, index / x / y].map(|at| at as u32);
        self.shared.fill(job.shared_bytes);
        fault::enter(&job.name);
        let block = Block {
            ntid: job.block,
            nctaid: job.grid,
            ctaid,
            dynamic_shared_bytes: job.dynamic_shared_bytes,
            total_shared_bytes: job.shared_bytes as u32,
            unused: 0,
            shared: self.shared.start(),
            parameters: job.parameters.as_ptr().cast(),
            trap: fault::trap,
            misaligned: fault::misaligned,
            print: print::print,
        };
        if job.has_collectives {
            self.run_coroutines(job, &block);
        } else {
            let thread = &mut self.threads[0];
            thread.block = &block;
            // SAFETY: `run` is the translation of a kernel, called with a thread that lives until it returns. That the
            // kernel touches only its own memory is its promise, as on a GPU.
            unsafe { (job.run)(thread) }
        }
    }

    fn run_coroutines(&mut self, job: &Job, block: &Block) {
        let count = job.block.iter().product::<u32>() as usize;
        if !self.stacks.as_ref().is_some_and(|stacks| stacks.fit(count, job.stack_bytes)) {
            self.coroutines.clear();
            self.stacks = Some(Stacks::new(MAX_THREADS, job.stack_bytes));
        }
        let Some(stacks) = &self.stacks else { unreachable!("they were made") };
        let (threads, coroutines) = (&mut self.threads, &mut self.coroutines);
        BlockRun::new(job, block, threads, stacks, coroutines).run();
    }
}
