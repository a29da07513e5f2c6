//! The project's commands, `cargo xtask COMMAND`: they start processes and link no crate of the workspace.

mod arguments;
mod backend;
mod bench;
mod ci;
mod cuda;
mod fetch;
mod pack;
mod pack_folder;
mod process;
mod supply_chain;
mod test;
mod tidy;
mod train;
mod vulkan;

use std::{env, ffi::OsString, process::ExitCode};

/// The exit code of a command, or an error message.
type Outcome = Result<ExitCode, String>;

const USAGE: &str = "\
Usage: cargo xtask COMMAND [ARGS]

  train   build embert for a backend and run `embert train ARGS`
  fetch   download the data and the model of a recipe
  bench   build and run the benchmarks
  pack    build an archive with the benchmarks for a machine without Rust
  test    run all tests of the workspace
  ci      run the steps of CI: format, tidy, supply chain, lints, documentation, packages, tests
  tidy    check the layers and boundaries of the crates, and file names and sizes

`cargo xtask COMMAND --help` describes train, fetch, bench, pack and test.";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let command = args.next().unwrap_or_default();
    let outcome = match command.to_str() {
        Some("train") => train::run(args.collect()),
        Some("fetch") => fetch::run(args.collect()),
        Some("bench") => bench::run(args.collect()),
        Some("pack") => pack::run(args.collect()),
        Some("test") => test::run(args.collect()),
        Some("ci") => no_arguments(args).and_then(|()| ci::run()),
        Some("tidy") => no_arguments(args).and_then(|()| tidy::run()),
        Some("--help" | "-h" | "help") => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("error: {message}");
        ExitCode::FAILURE
    })
}

fn no_arguments(mut args: impl Iterator<Item = OsString>) -> Result<(), String> {
    match args.next() {
        None => Ok(()),
        Some(arg) => Err(format!("this command takes no arguments, found `{}`", arg.display())),
    }
}
