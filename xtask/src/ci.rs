//! `cargo xtask ci`: what CI runs, the quick checks first, `cargo xtask test --backend wgpu` last.

use crate::{Outcome, process, supply_chain, test, test::Build, tidy, vulkan};
use std::{process::ExitCode, time::Instant};

struct Step {
    name: &'static str,
    run: fn(&Build) -> Outcome,
    mend: &'static str,
}

const STEPS: [Step; 7] = [
    Step { name: "format", run: format, mend: "run `cargo fmt --all`" },
    Step {
        name: "tidy",
        run: |_| tidy::run(),
        mend: "each line above says what to do; `cargo xtask tidy` checks again",
    },
    Step {
        name: "supply chain",
        run: |_| supply_chain::run(),
        mend: "run `cargo deny check`, and change the dependency or, with a reason, deny.toml",
    },
    Step {
        name: "lints",
        run: lints,
        mend: "run `cargo clippy --workspace --all-targets --features=embert-cli/wgpu,embert-bench/wgpu -- -D warnings`",
    },
    Step {
        name: "documentation",
        run: documentation,
        mend: "run `RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps`",
    },
    Step { name: "packages", run: packages, mend: "run `cargo publish --workspace --dry-run --no-verify`" },
    Step {
        name: "tests",
        run: test::with,
        mend: "run `cargo xtask test --backend wgpu`, or `cargo test --release --package NAME`",
    },
];

/// Stops at the first step that fails.
pub(crate) fn run() -> Outcome {
    let driver = vulkan::driver();
    match &driver {
        Ok(driver) => println!("the wgpu backend is tested on {driver}"),
        Err(reason) => println!("SKIPPED: the tests of the wgpu backend: {reason}"),
    }
    let build = Build::with_wgpu(driver.ok());
    for (i, Step { name, run, mend }) in STEPS.iter().enumerate() {
        println!("==> {name} ({} of {})", i + 1, STEPS.len());
        let start = Instant::now();
        let code = run(&build).unwrap_or_else(|message| {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        });
        let seconds = start.elapsed().as_secs();
        if code != ExitCode::SUCCESS {
            eprintln!("==> {name} failed after {seconds} s: {mend}");
            return Ok(code);
        }
        println!("==> {name} passed in {seconds} s");
    }
    Ok(ExitCode::SUCCESS)
}

fn format(_: &Build) -> Outcome {
    process::run(process::cargo("fmt --all --check".split(' ')))
}

/// With `--locked`: a `Cargo.lock` that was not committed is found here.
fn lints(build: &Build) -> Outcome {
    process::run(build.cargo("clippy --workspace --all-targets --release --locked -- -D warnings"))
}

/// Compiles nothing that the lints have not checked already.
fn documentation(build: &Build) -> Outcome {
    let mut doc = build.cargo("doc --workspace --no-deps --release");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    process::run(doc)
}

/// Packs every crate for publishing, which checks its manifest and the versions of its dependencies.
fn packages(_: &Build) -> Outcome {
    process::run(process::cargo("publish --workspace --dry-run --no-verify --allow-dirty --quiet".split(' ')))
}
