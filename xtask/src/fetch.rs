//! `cargo xtask fetch`: downloads what a recipe needs, by letting `embert check` read it.

use crate::{Outcome, backend::Backend, process};
use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask fetch [ARGS of embert check]

Downloads the data and the model of the recipe `imdb` into the hub's cache, reads the data and reports on it.
With ARGS, those of `embert check` instead: `cargo xtask fetch --dataset OWNER/NAME`.";

pub(crate) fn run(args: Vec<OsString>) -> Outcome {
    if args.iter().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut embert = Command::new(process::build("embert-cli", Backend::Cpu)?);
    embert.arg("check");
    if args.is_empty() {
        embert.args(["--recipe", "imdb"]);
    }
    embert.args(args);
    process::become_command(embert)
}
