//! `cargo xtask train`: builds embert for a backend and becomes `embert train`.

use crate::{Outcome, process, request::Request};
use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask train [--backend cpu|cuda|wgpu] [ARGS of embert train]

Builds embert in release mode and starts `embert train` with ARGS, where you stand. Without --backend the
backend is that of --device, and without either the CPU. `cargo xtask train -- --help` lists ARGS.

  cargo xtask train --recipe quickstart            a small model on made-up reviews, no network needed
  cargo xtask train                                bert-base-uncased on IMDb
  cargo xtask train --backend cuda --recipe imdb   the same on an NVIDIA GPU";

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Request { backend, device, rest } = match checked(args) {
        Ok(Some(request)) => request,
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
    process::become_command(embert)
}

/// What `embert` says of a device that is not there, too.
const USAGE_ERROR: u8 = 2;

/// The request, if it is one and this machine has the backend.
fn checked(args: Vec<OsString>) -> Result<Option<Request>, String> {
    let request = Request::parse(args)?;
    request.iter().try_for_each(|request| request.backend.check())?;
    Ok(request)
}
