//! Settings of glibc's `malloc`: keep freed memory in the process, or return it to the system.

/// Keeps freed memory in the process, so that the next training step reuses it.
///
/// By default glibc returns large blocks to the system at once. The system then provides the next block page
/// by page and fills it with zeros. Call this function once, at the start of `main`, in a program that trains
/// on the CPU. On systems without glibc it does nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` accepts any pair of integers and changes only the allocator's settings. glibc's manual
    // lists it as `MT-Unsafe init const:mallopt`. `init`: the allocator is initialized, because the runtime
    // allocates before `main`. `const:mallopt`: other threads read the settings without a lock. Each setting
    // is one aligned word, so they see the old or the new value, and both are valid.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1); // one arena: each thread can reuse what another one freed
        libc::mallopt(libc::M_MMAP_MAX, 0); // no block gets its own mapping
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1); // never return the end of the heap
        libc::mallopt(libc::M_TOP_PAD, 64 << 20); // grow the heap by at least 64 MiB
    }
}

/// Returns freed memory to the system. Call it after a phase with a high peak, for example after tokenizing.
/// On systems without glibc it does nothing.
pub fn release_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` returns only pages that the allocator has marked as free, so no live block uses
    // them. It takes the allocator's lock, so other threads may allocate at the same time.
    unsafe {
        libc::malloc_trim(0);
    }
}
