//! When the system's allocator keeps freed memory, and when it gives it back.

/// Keeps freed memory in the process, so that the next step finds it there instead of asking the system for pages, which
/// it hands out one by one and zeroed.
///
/// To be called once, first thing in `main`, by a program that trains on the CPU. It concerns glibc, whose allocator
/// otherwise returns large blocks at once; elsewhere it does nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` takes any number, touches no memory of the program, and takes the allocator's own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1); // what one thread frees, any other finds
        libc::mallopt(libc::M_MMAP_MAX, 0); // no block has pages of its own
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20); // grows by so much at least
    }
}

/// Gives memory that is free, and kept for the process all the same, back to the system: what reading and tokenizing took
/// for a moment. It concerns glibc; elsewhere it does nothing.
pub fn release_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` gives back only what the allocator has as free, under the allocator's own lock.
    unsafe {
        libc::malloc_trim(0);
    }
}
