//! Errors of a running kernel: they end the process with a message that names the kernel.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Once, OnceLock};

use super::fail;
use super::thread::Block;

/// Called by a kernel at `trap`.
pub(super) extern "C" fn trap(block: *const Block, function: *const c_char) {
    // SAFETY: the kernel passes its own block and a literal of its source.
    let (ctaid, function) = unsafe { ((*block).ctaid, CStr::from_ptr(function)) };
    fail(&format!("{}: trap in block {ctaid:?}", function.to_string_lossy()))
}

/// Called by a kernel that loads or stores a vector of `bytes` at an address that is not a multiple of it.
pub(super) extern "C" fn misaligned(block: *const Block, function: *const c_char, address: u64, bytes: u32) {
    // SAFETY: as in `trap`.
    let (ctaid, function) = unsafe { ((*block).ctaid, CStr::from_ptr(function)) };
    let function = function.to_string_lossy();
    fail(&format!("{function}: misaligned address {address:#x} of {bytes} bytes in block {ctaid:?}"))
}

thread_local! {
    /// The name of the kernel that this thread of the system runs. It is read in a signal handler.
    static NAME: Cell<(*const u8, usize)> = const { Cell::new((std::ptr::null(), 0)) };
}

/// Remembers the kernel that this thread of the system runs, and says its name if it uses memory that does not exist.
/// The name must live until the next call.
pub(super) fn enter(name: &str) {
    static INSTALL: Once = Once::new();
    NAME.set((name.as_ptr(), name.len()));
    INSTALL.call_once(install);
}

/// Forgets the kernel.
pub(super) fn leave() {
    NAME.set((std::ptr::null(), 0));
}

/// The signals of accesses to memory that does not exist, and what they did before.
static SIGNALS: [(c_int, OnceLock<libc::sigaction>); 2] =
    [(libc::SIGSEGV, OnceLock::new()), (libc::SIGBUS, OnceLock::new())];

fn install() {
    for (signal, before) in &SIGNALS {
        // SAFETY: an all-zero `sigaction` is valid, and so are both pointers. The handler does only what a signal
        // handler may do.
        let old = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut old = std::mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(*signal, &raw const action, &raw mut old);
            old
        };
        let _ = before.set(old); // It is empty: this function runs once.
    }
}

/// Writes a message if a kernel runs, and gives the signal its former meaning. The instruction then repeats, which ends
/// the process.
extern "C" fn handle(signal: c_int, information: *mut libc::siginfo_t, _context: *mut c_void) {
    let (name, length) = NAME.get();
    if !name.is_null() {
        // SAFETY: the system passes a valid `siginfo_t`, which has an address for these signals.
        let mut address = unsafe { (*information).si_addr() } as usize;
        let mut digits = *b"0x0000000000000000\n";
        for digit in digits[2..18].iter_mut().rev() {
            *digit = b"0123456789abcdef"[address % 16];
            address /= 16;
        }
        let write = |text: *const u8, length| {
            // SAFETY: the text is valid for its length. The result does not matter: the process ends.
            unsafe { libc::write(libc::STDERR_FILENO, text.cast(), length) };
        };
        let (before, after) = ("embert-standin: ", ": no memory at address ");
        write(before.as_ptr(), before.len());
        write(name, length);
        write(after.as_ptr(), after.len());
        write(digits.as_ptr(), digits.len());
    }
    let before = SIGNALS.iter().find(|(known, _)| *known == signal).and_then(|(_, before)| before.get());
    // SAFETY: both are allowed in a signal handler, and the pointer is valid.
    unsafe {
        match before {
            Some(before) => libc::sigaction(signal, std::ptr::from_ref(before), std::ptr::null_mut()),
            None => libc::signal(signal, libc::SIG_DFL) as c_int,
        }
    };
}
