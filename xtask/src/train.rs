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
    let Some(Request { backend, device, rest }) = Request::parse(args)? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    backend.check()?;
    let mut embert = Command::new(process::build("embert-cli", backend)?);
    embert.arg("train");
    if device.is_none() {
        embert.args(["--device", backend.name()]);
    }
    embert.args(rest);
    process::become_command(embert)
}
