//! `cargo xtask train`: builds embert for a backend and runs `embert train`.

use crate::{Outcome, arguments::Arguments, process};
use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask train [--backend cpu|cuda|wgpu] [ARGS of embert train]

Builds embert in release mode and runs `embert train ARGS` in the current directory. Without --backend, the backend
is that of --device, or the CPU. `cargo xtask train -- --help` lists ARGS.

  cargo xtask train --recipe quickstart            a small model on made-up reviews, no network needed
  cargo xtask train                                bert-base-uncased on IMDb
  cargo xtask train --backend cuda --recipe imdb   the same on an NVIDIA GPU";

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Arguments { backend, device, rest } = match checked(args) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        Err(message) => {
            eprintln!("error: {message}");
            return Ok(ExitCode::from(USAGE_ERROR));
        }
    };
    let mut embert = Command::new(process::build("embert-cli", backend)?);
    embert.arg("train");
    if device.is_none() {
        embert.args(["--device", backend.name()]);
    }
    embert.args(rest);
    process::exec(embert)
}

/// The exit code of `embert` for a missing device, too.
const USAGE_ERROR: u8 = 2;

/// Parses the arguments, and checks that this machine supports the backend.
fn checked(args: Vec<OsString>) -> Result<Option<Arguments>, String> {
    let arguments = Arguments::parse(args)?;
    arguments.iter().try_for_each(|arguments| arguments.backend.check())?;
    Ok(arguments)
}
