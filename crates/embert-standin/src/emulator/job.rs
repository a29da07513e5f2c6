//! A launch of a kernel, which workers share.

use std::sync::atomic::AtomicUsize;

use super::collective::Site;
use super::thread::Thread;

/// The function of a kernel.
pub(super) type Run = unsafe extern "C" fn(*mut Thread);

/// A launch of a kernel.
pub(super) struct Job {
    pub(super) name: String,
    pub(super) run: Run,
    pub(super) sites: std::sync::Arc<Vec<Site>>,
    pub(super) grid: [u32; 3],
    pub(super) block: [u32; 3],
    pub(super) shared_bytes: usize,
    pub(super) dynamic_shared_bytes: u32,
    pub(super) has_collectives: bool,
    pub(super) stack_bytes: usize,
    /// The parameters at their offsets. 16 bytes, so that they are aligned.
    pub(super) parameters: Vec<u128>,
    /// The next block that no worker has taken.
    pub(super) next: AtomicUsize,
    /// How many blocks a worker takes at once.
    pub(super) chunk: usize,
}

impl Job {
    pub(super) fn blocks(&self) -> usize {
        self.grid.iter().map(|size| *size as usize).product()
    }
}
