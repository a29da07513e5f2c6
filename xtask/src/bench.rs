//! `cargo xtask bench`: builds and runs the benchmarks for a backend.

use crate::{Outcome, arguments::Arguments, process};
use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask bench [--backend cpu|cuda|wgpu] [ARGS of embert-bench]

Builds the benchmarks in release mode and runs them. `cargo xtask bench -- --help` lists ARGS.";

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    let Some(Arguments { backend, rest, .. }) = Arguments::parse(args)? else {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    backend.check()?;
    let mut benchmarks = Command::new(process::build("embert-bench", backend)?);
    benchmarks.args(rest);
    process::exec(benchmarks)
}
