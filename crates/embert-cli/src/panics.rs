//! A panic is a bug: it ends in one line and exit code 1, or as Rust tells it where `RUST_BACKTRACE` is set.
//!
//! Some panics in other libraries are no end: embert-data and embert-text catch them and say which file was read. So nothing
//! is printed when a panic begins, only when it ends the program.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::{Mutex, PoisonError};

use crate::error::CliError;

/// What the last panic said.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Keeps what panics say from now on, instead of printing it.
pub(crate) fn keep() {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        set_hook(Box::new(|panic| *LAST.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string()));
    }
}

/// What `ask` returns, or what it panicked with, without the place: for libraries that panic where they could answer.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
pub(crate) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let message = last.split_once('\n').map_or(last.as_str(), |(_, message)| message);
        if message.is_empty() { "it panicked".to_owned() } else { message.to_owned() }
    })
}

/// What `run` returns, a panic as an error.
pub(crate) fn told<T>(run: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        Err(CliError::failed(match last.contains("failed printing to stdout") {
            true => "standard output was closed".to_owned(),
            false => {
                format!("this is a bug in embert; please report it: {last}; RUST_BACKTRACE=1 shows more")
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind; // without a backtrace, whose memory other tests would count

    use super::*;

    #[test]
    fn a_panic_is_an_error_with_exit_code_1() {
        assert_eq!(told(|| Ok(7)).unwrap(), 7);
        let error = told::<()>(|| resume_unwind(Box::new("no such case"))).unwrap_err();
        assert_eq!(error.code, 1);
        assert!(error.message.starts_with("this is a bug in embert"), "{}", error.message);
    }
}
