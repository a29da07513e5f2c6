//! The record of what a program asks of the driver: a file with one line for each request.

use std::fmt::Arguments;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;
use std::time::Instant;

use crate::settings;

/// Appends a line, if there is a record. It ends with the seconds since the process first used the driver.
///
/// The line is one write to a file opened for appending, so that lines of several threads do not mix.
pub(crate) fn line(arguments: Arguments<'_>) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    if let Some(mut file) = FILE.get_or_init(open).as_ref() {
        let text = format!("{arguments} at {:.6}\n", seconds());
        if let Err(error) = file.write_all(text.as_bytes()) {
            eprintln!("embert-standin: the record cannot be written: {error}");
        }
    }
}

fn open() -> Option<File> {
    let path = settings::get().log.as_ref()?;
    match OpenOptions::new().create(true).append(true).open(path) {
        Ok(file) => Some(file),
        Err(error) => {
            eprintln!("embert-standin: {}: {error}", path.display());
            None
        }
    }
}

/// Host time since the process first used the driver.
fn seconds() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}
