//! Reports a panic as a bug in one line, with exit code 1. If a GPU has not enough memory, it is not a bug: exit code 5.
//!
//! embert-data and embert-text catch some panics of other libraries and turn them into errors. So the panic hook prints
//! nothing, unless `RUST_BACKTRACE` is set.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Mutex, PoisonError};

use crate::error::{CliError, OUT_OF_MEMORY};

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
        Err(device_out_of_memory(&last).unwrap_or_else(|| {
            CliError::failed(format!(
                "this is a bug in embert; please report it: {last}; RUST_BACKTRACE=1 shows more"
            ))
        }))
    })
}

/// Returns the error of a GPU without enough memory, if this is the message of the panic in which Burn reports it.
fn device_out_of_memory(panic: &str) -> Option<CliError> {
    let line = panic.lines().find(|line| line.to_lowercase().contains("out of device memory"))?;
    let line = line.trim();
    let remedies = "a smaller --per_device_train_batch_size with a larger --gradient_accumulation_steps, \
                    --gradient_checkpointing, --bf16, a smaller --max_seq_length or a smaller \
                    --per_device_eval_batch_size";
    Some(CliError { message: format!("{line}; try {remedies}"), code: OUT_OF_MEMORY })
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
    fn a_gpu_without_enough_memory_is_no_bug() {
        // What Burn says after CubeCL cannot allocate, on the stand-in driver.
        let panic = "panicked at a.rs:1:2:\nError while reading data: use `try_into_data` instead\nCaused by:\n  \
                     An IO error happened\nCaused by:\n  out of device memory allocating 101711872 bytes\n";
        let error = device_out_of_memory(panic).unwrap();
        assert_eq!(error.code, 5);
        assert!(
            error.message.starts_with("out of device memory allocating 101711872 bytes; try "),
            "{error:?}"
        );
        assert!(device_out_of_memory("panicked at a.rs:1:2:\nindex out of bounds").is_none());
    }

    #[test]
    fn a_panic_is_an_error_with_exit_code_1() {
        assert_eq!(as_error(|| Ok(7)).unwrap(), 7);
        let error = as_error::<()>(|| resume_unwind(Box::new("no such case"))).unwrap_err();
        assert_eq!(error.code, 1);
        assert!(error.message.starts_with("this is a bug in embert"), "{}", error.message);
    }
}
