//! The system's allocator, with one clear line and an exit code where it has no memory left.

use std::alloc::{GlobalAlloc, Layout, System};

/// Leaves the process when memory runs out, instead of the abort that Rust's own allocator ends in.
///
/// For the `#[global_allocator]` of a program that trains: where it is asked for more than there is, it writes
/// `error: out of memory: 4096 bytes could not be had; ` and `what_to_do` to standard error, and exits at once, without
/// unwinding: files that were being written stay as they are. That holds for `try_reserve`, too.
#[derive(Debug)]
pub struct ExitOutOfMemory {
    /// The exit code of the process.
    pub exit_code: i32,
    /// The end of the line.
    pub what_to_do: &'static str,
}

// SAFETY: every call is passed on to the system's allocator with its own arguments, and a block that is returned is the
// one that it gave. A null pointer ends the process, without unwinding, before it is returned.
unsafe impl GlobalAlloc for ExitOutOfMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises a layout whose size is not zero, all that the system's allocator asks.
        self.checked(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises a block of this allocator with its layout, which is one of the system's allocator.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        self.checked(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises a block of this allocator with its layout, which is one of the system's allocator, and a
        // new size that is not zero and does not overflow.
        self.checked(unsafe { System.realloc(block, layout, new_size) }, new_size)
    }
}

impl ExitOutOfMemory {
    #[inline]
    fn checked(&self, block: *mut u8, bytes: usize) -> *mut u8 {
        if block.is_null() {
            self.leave(bytes);
        }
        block
    }

    /// Allocates nothing, as there is nothing left.
    #[cold]
    fn leave(&self, bytes: usize) -> ! {
        let mut digits = [0; MOST_DIGITS];
        let begin = "error: out of memory: ";
        for part in [begin, decimal(bytes, &mut digits), " bytes could not be had; ", self.what_to_do, "\n"] {
            write(part);
        }
        // SAFETY: `_exit` takes any number, runs no code of the program and does not return.
        unsafe { libc::_exit(self.exit_code) }
    }
}

fn write(text: &str) {
    const STDERR: i32 = 2;
    // SAFETY: pointer and length are those of a slice that is borrowed for the call, and `write` only reads it. What it does
    // not write is lost, and nothing can be done about that.
    let _ = unsafe { libc::write(STDERR, text.as_ptr().cast(), text.len() as _) };
}

/// Those of `u64::MAX`.
const MOST_DIGITS: usize = 20;

fn decimal(mut number: usize, digits: &mut [u8; MOST_DIGITS]) -> &str {
    let mut at = MOST_DIGITS;
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return std::str::from_utf8(&digits[at..]).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_without_an_allocation_as_rust_writes_them() {
        for number in [0, 9, 10, 4096, usize::MAX] {
            assert_eq!(decimal(number, &mut [0; MOST_DIGITS]), number.to_string());
        }
    }
}
