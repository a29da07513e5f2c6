//! `cargo xtask ci`: the steps of CI, from quick checks to `cargo xtask test --backend wgpu`.

use crate::{Outcome, process, supply_chain, test, test::Build, tidy, vulkan};
use std::{process::ExitCode, time::Instant};

struct Step {
    name: &'static str,
    run: fn(&Build) -> Outcome,
    remedy: &'static str,
}

const STEPS: [Step; 7] = [
    Step { name: "format", run: format, remedy: "run `cargo fmt --all`" },
    Step { name: "tidy", run: |_| tidy::run(), remedy: "fix the lines above, and run `cargo xtask tidy`" },
    Step {
        name: "supply chain",
        run: |_| supply_chain::run(),
        remedy: "run `cargo deny check`, and change the dependency, or deny.toml with a reason",
    },
    Step {
        name: "lints",
        run: lints,
        remedy: "run `cargo clippy --workspace --all-targets --features=embert-cli/wgpu,embert-bench/wgpu,embert/hub -- -D warnings`",
    },
    Step {
        name: "documentation",
        run: documentation,
        remedy: "run `RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps`",
    },
    Step { name: "packages", run: packages, remedy: "run `cargo publish --workspace --dry-run --no-verify`" },
    Step {
        name: "tests",
        run: test::run_with,
        remedy: "run `cargo xtask test --backend wgpu`, or `cargo test --package NAME`",
    },
];

/// Runs all steps. Stops at the first failure.
pub(crate) fn run() -> Outcome {
    let driver = vulkan::driver();
    match &driver {
        Ok(driver) => println!("the wgpu backend is tested on {driver}"),
        Err(reason) => println!("SKIPPED: the tests of the wgpu backend: {reason}"),
    }
    let build = Build::with_wgpu(driver.ok());
    for (i, Step { name, run, remedy }) in STEPS.iter().enumerate() {
        println!("==> {name} ({} of {})", i + 1, STEPS.len());
        let start = Instant::now();
        let code = run(&build).unwrap_or_else(|message| {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        });
        let seconds = start.elapsed().as_secs();
        if code != ExitCode::SUCCESS {
            eprintln!("==> {name} failed after {seconds} s: {remedy}");
            return Ok(code);
        }
        println!("==> {name} passed in {seconds} s");
    }
    Ok(ExitCode::SUCCESS)
}

fn format(_: &Build) -> Outcome {
    process::run(process::cargo("fmt --all --check".split(' ')))
}

/// Runs Clippy. `--locked` detects an outdated `Cargo.lock`.
fn lints(build: &Build) -> Outcome {
    process::run(build.cargo("clippy --workspace --all-targets --locked -- -D warnings"))
}

/// Builds the documentation with the same dependencies as the lints.
fn documentation(build: &Build) -> Outcome {
    let mut doc = build.cargo("doc --workspace --no-deps");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    process::run(doc)
}

/// Packs every crate for publishing, to check its manifest and the versions of its dependencies.
fn packages(_: &Build) -> Outcome {
    process::run(process::cargo("publish --workspace --dry-run --no-verify --allow-dirty --quiet".split(' ')))
}
