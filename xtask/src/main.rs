//! The project's own commands, `cargo xtask COMMAND`: they start processes and link none of the crates.

mod backend;
mod bench;
mod ci;
mod fetch;
mod pack;
mod process;
mod request;
mod supply_chain;
mod test;
mod tidy;
mod train;
mod vulkan;

use std::{env, ffi::OsString, process::ExitCode};

/// What a command ends with: the exit code of the process that it started, or why it could not start it.
type Outcome = Result<ExitCode, String>;

const USAGE: &str = "\
Usage: cargo xtask COMMAND [ARGS]

  train   build embert for a backend and train; ARGS are those of `embert train`
  fetch   download the data and the model of a recipe ahead of time
  bench   build and run the benchmarks
  pack    an archive that checks and measures a machine with a GPU and nothing else
  test    run every test of the workspace
  ci      what CI runs: format, tidy, supply chain, lints, documentation, packages, tests
  tidy    check the floors, the boundaries between crates and the files' names

`cargo xtask COMMAND --help` says more of train, fetch, bench, pack and test.";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let command = args.next().unwrap_or_default();
    let outcome = match command.to_str() {
        Some("train") => train::run(args.collect()),
        Some("fetch") => fetch::run(args.collect()),
        Some("bench") => bench::run(args.collect()),
        Some("pack") => pack::run(args.collect()),
        Some("test") => test::run(args.collect()),
        Some("ci") => nothing_else(args).and_then(|()| ci::run()),
        Some("tidy") => nothing_else(args).and_then(|()| tidy::run()),
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

fn nothing_else(mut args: impl Iterator<Item = OsString>) -> Result<(), String> {
    match args.next() {
        None => Ok(()),
        Some(arg) => Err(format!("this command takes no arguments, found `{}`", arg.display())),
    }
}
