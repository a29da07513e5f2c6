//! Printing that never panics: standard output and standard error may be closed, or go to a full disk.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write, stderr, stdout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::CliError;

/// Training goes on without a reader; the other commands exist for what they print.
static OUTLIVES_READER: AtomicBool = AtomicBool::new(false);
/// Standard output failed, and the user was told.
static FAILED: AtomicBool = AtomicBool::new(false);

/// From now on a closed or full standard output is a warning, not the end of the process.
pub(crate) fn outlive_reader() {
    OUTLIVES_READER.store(true, Relaxed);
}

/// Prints a line on standard output.
///
/// Ends the process quietly, with exit code 0, if its reader has gone, as `cat | head` does.
pub(crate) fn print(line: impl Display) {
    if let Err(error) = write_line(&line) {
        failed(&error);
    }
}

/// Prints a line on standard error, where that is possible.
pub(crate) fn tell(line: impl Display) {
    let _ = writeln!(stderr(), "{line}"); // there is nowhere else to report to
}

/// Prints a warning.
pub(crate) fn warn(warning: impl Display) {
    tell(format_args!("warning: {warning}"));
}

/// Fails if a line could not be printed and its reader has not just gone.
pub(crate) fn require_printed() -> Result<(), CliError> {
    match FAILED.load(Relaxed) && !OUTLIVES_READER.load(Relaxed) {
        true => Err(CliError::failed("standard output could not be written: its disk may be full")),
        false => Ok(()),
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
        std::process::exit(0);
    }
    if !FAILED.swap(true, Relaxed) && outlives {
        warn(format_args!(
            "standard output: {error}; training continues, and the run's directory has all figures"
        ));
    }
}
