//! A global allocator that ends the process with a clear message when memory runs out.

use std::alloc::{GlobalAlloc, Layout, System};

/// A global allocator that exits when an allocation fails. Rust's default allocator aborts instead.
///
/// Use it as the `#[global_allocator]` of a program that trains. When an allocation fails, it writes `error:
/// out of memory: cannot allocate 4096 bytes; ` and `what_to_do` to standard error. Then it exits at once,
/// without unwinding: a file that is being written stays incomplete. A failed `try_reserve` exits too.
#[derive(Debug)]
pub struct ExitOutOfMemory {
    /// The exit code of the process.
    pub exit_code: i32,
    /// The end of the message: what the user can do.
    pub what_to_do: &'static str,
}

// SAFETY: each method passes its own arguments to the system's allocator and returns that allocator's block.
// So size, alignment and ownership of a block are as `System` guarantees them. If `System` returns a null
// pointer, the process exits before the method returns. Nothing here unwinds.
unsafe impl GlobalAlloc for ExitOutOfMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller guarantees a layout of non-zero size. `System.alloc` requires nothing else.
        self.checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` was returned by this allocator for `layout`, and the caller does not use it again.
        // All blocks of this allocator come from `System` with the same layout, so `block` is a block of
        // `System`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller guarantees a layout of non-zero size. `System.alloc_zeroed` requires nothing
        // else.
        self.checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: `block` was returned by this allocator for `layout`. All its blocks come from `System` with
        // the same layout, so `block` is a block of `System`. The caller guarantees that `new_size` is not
        // zero and does not overflow `isize` when it is rounded up to the alignment.
        self.checked(unsafe { System.realloc(block, layout, new_size) }, new_size)
    }
}

impl ExitOutOfMemory {
    #[inline]
    fn checked(&self, block: *mut u8, bytes: usize) -> *mut u8 {
        if block.is_null() {
            self.exit(bytes);
        }
        block
    }

    /// Writes the message and exits. It must not allocate.
    #[cold]
    fn exit(&self, bytes: usize) -> ! {
        const BEGINNING: &str = "error: out of memory: cannot allocate ";
        let mut digits = [0; MAX_DIGITS];
        for part in [BEGINNING, decimal(bytes, &mut digits), " bytes; ", self.what_to_do, "\n"] {
            write(part);
        }
        // SAFETY: `_exit` accepts any integer. It runs no code of the program and does not return.
        unsafe { libc::_exit(self.exit_code) }
    }
}

fn write(text: &str) {
    const STDERR: i32 = 2;
    // SAFETY: `text` is borrowed for the call, so the `text.len()` bytes at its pointer are valid and
    // initialized. `write` only reads them. The result is ignored: the process exits next, and there is no
    // other place for the message.
    let _ = unsafe { libc::write(STDERR, text.as_ptr().cast(), text.len() as _) };
}

/// The number of decimal digits of `u64::MAX`.
const MAX_DIGITS: usize = 20;

fn decimal(mut number: usize, digits: &mut [u8; MAX_DIGITS]) -> &str {
    let mut start = MAX_DIGITS;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[start..]).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_formats_like_to_string() {
        for number in [0, 9, 10, 4096, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; MAX_DIGITS]), number.to_string());
        }
    }
}
