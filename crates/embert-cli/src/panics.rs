//! Reports a panic as a bug in one line, with exit code 1.
//!
//! embert-data and embert-text catch some panics of other libraries and turn them into errors. So the panic hook prints
//! nothing, unless `RUST_BACKTRACE` is set.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, PoisonError};

use crate::error::CliError;

/// The message of the last panic.
static LAST: Mutex<String> = Mutex::new(String::new());

/// Installs a panic hook that stores the message, and prints it only if `RUST_BACKTRACE` is set.
pub(crate) fn install_hook() {
    let shows_backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        remember(panic.to_string());
        if shows_backtrace {
            print(panic);
        }
    }));
}

fn remember(message: String) {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = message;
}

/// Calls `ask`. Returns the message of a panic as an error, without its source location.
#[cfg(any(feature = "cuda", feature = "wgpu"))]
pub(crate) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(ask)).map_err(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        let message = last.split_once('\n').map_or(last.as_str(), |(_, message)| message);
        if message.is_empty() { "it panicked".to_owned() } else { message.to_owned() }
    })
}

/// Calls `run`. Returns the message of a panic as an error.
pub(crate) fn as_error<T>(run: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        Err(CliError::failed(format!(
            "this is a bug in embert; please report it: {last}; RUST_BACKTRACE=1 shows more"
        )))
    })
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind; // without a backtrace, because other tests count memory

    use super::*;

    #[test]
    fn the_error_of_a_panic_has_its_message() {
        remember("panicked at here: no such case".into());
        let error = as_error::<()>(|| resume_unwind(Box::new("caught"))).unwrap_err();
        assert!(error.message.contains("no such case"), "{}", error.message);
    }

    #[test]
    fn a_panic_is_an_error_with_exit_code_1() {
        assert_eq!(as_error(|| Ok(7)).unwrap(), 7);
        let error = as_error::<()>(|| resume_unwind(Box::new("no such case"))).unwrap_err();
        assert_eq!(error.code, 1);
        assert!(error.message.starts_with("this is a bug in embert"), "{}", error.message);
    }
}
