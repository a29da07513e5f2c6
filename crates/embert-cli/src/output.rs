//! Prints to standard output and standard error. Never panics, even if they are closed or the disk is full.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::CliError;
use crate::visible::visible;

/// True for training, which continues if the reader of standard output closes it. Other commands stop.
static OUTLIVES_READER: AtomicBool = AtomicBool::new(false);
/// True for a command that writes a file: it completes the file if the reader of standard output closes it.
static COMPLETES_FILE: AtomicBool = AtomicBool::new(false);
/// True after a failed write to standard output. The user is warned once.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Turns a failed write to standard output into a warning. By default it ends the process.
pub(crate) fn outlive_reader() {
    OUTLIVES_READER.store(true, Relaxed);
}

/// Ignores a closed standard output. By default it ends the process.
pub(crate) fn complete_file() {
    COMPLETES_FILE.store(true, Relaxed);
}

/// Prints a line on standard output.
///
/// Exits with code 0 if the reader has closed the pipe, as in `embert predict | head`, except after [`complete_file`].
pub(crate) fn print(line: impl Display) {
    if let Err(error) = write_line(&line) {
        failed(&error);
    }
}

/// Prints a line on standard error. Ignores errors.
pub(crate) fn print_stderr(line: impl Display) {
    let _ = writeln!(stderr(), "{line}"); // there is no other place to report the error
}

/// Prints a warning in one line.
pub(crate) fn warn(warning: impl Display) {
    print_stderr(format_args!("warning: {}", visible(&warning.to_string())));
}

/// Fails if a line could not be written, except to a closed pipe.
pub(crate) fn require_printed() -> Result<(), CliError> {
    if FAILED.load(Relaxed) && !OUTLIVES_READER.load(Relaxed) {
        Err(CliError::failed("standard output could not be written: its disk may be full"))
    } else {
        Ok(())
    }
}

fn write_line(line: &impl Display) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn failed(error: &io::Error) {
    let outlives = OUTLIVES_READER.load(Relaxed);
    if !outlives && error.kind() == ErrorKind::BrokenPipe {
        if COMPLETES_FILE.load(Relaxed) {
            return;
        }
        std::process::exit(0);
    }
    if !FAILED.swap(true, Relaxed) && outlives {
        warn(format_args!(
            "standard output: {error}; training continues, and the run directory has all metrics"
        ));
    }
}
