//! `cargo xtask fetch`: downloads the data and the model of a recipe with `embert check`.

use crate::{Outcome, backend::Backend, process};
use std::{
    ffi::OsString,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
Usage: cargo xtask fetch [ARGS of embert check]

Downloads the data and the model of the recipe `imdb` into the Hub cache, and checks the data. ARGS replace the
recipe: `cargo xtask fetch --dataset OWNER/NAME`.";

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
    process::exec(embert)
}
