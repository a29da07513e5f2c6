//! What a translated kernel and the emulator share; to_c/prelude/thread.h has the same layout.

use std::ffi::c_char;

use corosensei::Yielder;

/// A block of threads.
#[repr(C)]
pub(super) struct Block {
    pub(super) ntid: [u32; 3],
    pub(super) nctaid: [u32; 3],
    pub(super) ctaid: [u32; 3],
    pub(super) dynamic_shared_bytes: u32,
    pub(super) total_shared_bytes: u32,
    pub(super) unused: u32,
    pub(super) shared: *mut u8,
    pub(super) parameters: *const u8,
    pub(super) trap: extern "C" fn(*const Block, *const c_char),
    pub(super) misaligned: extern "C" fn(*const Block, *const c_char, u64, u32),
    pub(super) print: extern "C" fn(*const c_char, *const u8),
}

/// A thread. What is used at each switch is in the first line of the processor's cache.
#[repr(C, align(64))]
pub(super) struct Thread {
    pub(super) tid: [u32; 3],
    pub(super) lane: u32,
    /// The collective at which the thread waits, as an index of the module's sites.
    pub(super) site: u32,
    /// The lanes that the collective waits for.
    pub(super) mask: u32,
    pub(super) address: u64,
    pub(super) block: *const Block,
    pub(super) suspend: extern "C" fn(*mut Thread),
    pub(super) yielder: *const Yielder<(), ()>,
    pub(super) state: State,
    pub(super) unused: u32,
    pub(super) inputs: Inputs,
    pub(super) outputs: Outputs,
}

/// What a lane passes to a collective.
pub(super) type Inputs = [u32; 28];

/// What a lane gets from a collective.
pub(super) type Outputs = [u32; 8];

/// What a thread does.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Runs,
    /// Waits at a collective of its warp.
    WaitsForWarp,
    /// Waits at a barrier of its block.
    WaitsForBlock,
    Exited,
}

impl Thread {
    /// A thread of no block.
    pub(super) fn new() -> Self {
        Self {
            tid: [0; 3],
            lane: 0,
            site: 0,
            mask: 0,
            address: 0,
            block: std::ptr::null(),
            suspend,
            yielder: std::ptr::null(),
            state: State::Exited,
            unused: 0,
            inputs: [0; 28],
            outputs: [0; 8],
        }
    }

    /// Makes this the thread `index` of a block with `ntid` threads.
    pub(super) fn start(&mut self, block: *const Block, index: u32, ntid: [u32; 3]) {
        self.tid = [index % ntid[0], index / ntid[0] % ntid[1], index / ntid[0] / ntid[1]];
        self.lane = index % 32;
        self.block = block;
        self.state = State::Runs;
    }
}

/// Gives control back to the emulator until the collective is computed. Called by the kernel.
extern "C" fn suspend(thread: *mut Thread) {
    // SAFETY: `thread` is the running thread, whose coroutine set `yielder` to its own yielder before it called the
    // kernel. The coroutine is suspended inside of this call, so that the yielder lives until the call returns.
    unsafe { (*(*thread).yielder).suspend(()) }
}
