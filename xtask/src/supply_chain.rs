//! `cargo deny`: checks licences, sources and known vulnerabilities of the dependencies in Cargo.lock.
//!
//! Skips checks that this machine cannot run, and says so. A job of CI runs all of them.

use crate::{Outcome, process};
use std::process::{ExitCode, Stdio};

/// Runs the checks that are possible on this machine.
pub(crate) fn run() -> Outcome {
    if !succeeds("deny --version") {
        skip(
            "cargo-deny is not installed (`cargo install cargo-deny --locked`): advisories, licences and sources",
        );
        return Ok(ExitCode::SUCCESS);
    }
    let code = process::run(deny("check licenses bans sources"))?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    if !succeeds("deny fetch db") {
        skip("the advisory database cannot be downloaded: advisories");
        return Ok(ExitCode::SUCCESS);
    }
    process::run(deny("--offline check advisories"))
}

fn skip(what: &str) {
    eprintln!("skipped: {what} were not checked");
}

fn deny(arguments: &str) -> std::process::Command {
    process::cargo(std::iter::once("deny").chain(arguments.split(' ')))
}

fn succeeds(arguments: &str) -> bool {
    let mut command = process::cargo(arguments.split(' '));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
