//! Memory of the emulator: the stacks of threads and the shared memory of a block.

use std::num::NonZeroUsize;

use corosensei::stack::{Stack, StackPointer};

const PAGE: usize = 4096;

/// Pages from the system, which take no memory until they are written.
struct Pages {
    start: *mut u8,
    bytes: usize,
}

impl Pages {
    /// Maps `bytes`, a multiple of the page size. `flags` are added to those of private memory.
    fn map(bytes: usize, flags: i32) -> Self {
        let flags = flags | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: an anonymous mapping at an address of the system's choice touches no other memory.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0)
        };
        assert!(start != libc::MAP_FAILED, "the system has no address space for {bytes} bytes");
        Self { start: start.cast(), bytes }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and its users are fields of the same owner.
        unsafe { libc::munmap(self.start.cast(), self.bytes) };
    }
}

/// The shared memory of the block that a worker runs.
pub(super) struct SharedMemory(Pages);

impl SharedMemory {
    /// An H200's largest shared memory of a block, plus the static part's alignment.
    pub(super) const BYTES: usize = 256 << 10;

    /// Addresses of shared memory fit in 32 bits, because PTX may keep them in 32-bit registers.
    pub(super) fn new() -> Self {
        Self(Pages::map(Self::BYTES, libc::MAP_32BIT))
    }

    pub(super) fn start(&self) -> *mut u8 {
        self.0.start
    }

    /// Fills the first bytes with NaN, so that a read of what no thread has written shows.
    pub(super) fn fill(&mut self, bytes: usize) {
        assert!(bytes <= Self::BYTES);
        // SAFETY: the mapping has `BYTES` bytes, and no kernel of this worker runs.
        unsafe { self.0.start.write_bytes(0xff, bytes) }
    }
}

/// Stacks of one size, one for each thread of a block.
pub(super) struct Stacks {
    pages: Pages,
    /// From the start of a stack to the start of the next one, including the guard page.
    stride: usize,
}

impl Stacks {
    /// Maps `count` stacks with at least `bytes` each.
    pub(super) fn new(count: usize, bytes: usize) -> Self {
        // Two more pages: the guard, and what `SLOPE` takes.
        let stride = bytes.next_multiple_of(PAGE) + 2 * PAGE;
        let pages = Pages::map(count * stride, libc::MAP_STACK);
        for index in 0..count {
            // SAFETY: the page is the first one of a stack of this mapping, which no thread uses yet.
            let result =
                unsafe { libc::mprotect(pages.start.add(index * stride).cast(), PAGE, libc::PROT_NONE) };
            assert!(result == 0, "the guard page of a stack cannot be set");
        }
        Self { pages, stride }
    }

    /// Whether they have `count` stacks with `bytes` each.
    pub(super) fn fit(&self, count: usize, bytes: usize) -> bool {
        count * self.stride <= self.pages.bytes && bytes + 2 * PAGE <= self.stride
    }

    /// The stack of thread `index`.
    pub(super) fn get(&self, index: usize) -> ThreadStack {
        let limit = self.pages.start as usize + index * self.stride;
        ThreadStack { limit, base: limit + self.stride - index * SLOPE % PAGE }
    }
}

/// Stacks begin at different distances from a page, so that their first variables do not share a few lines of the
/// processor's cache.
const SLOPE: usize = 576;

/// The stack of one thread.
pub(super) struct ThreadStack {
    limit: usize,
    base: usize,
}

// SAFETY: `base` and `limit` enclose at least two pages of a mapping whose lowest page is a guard, and both are multiples
// of 16. `Stacks` outlives the coroutines: a worker drops them before it replaces its stacks.
unsafe impl Stack for ThreadStack {
    fn base(&self) -> StackPointer {
        NonZeroUsize::new(self.base).expect("a mapping is not at address 0")
    }

    fn limit(&self) -> StackPointer {
        NonZeroUsize::new(self.limit).expect("a mapping is not at address 0")
    }
}
