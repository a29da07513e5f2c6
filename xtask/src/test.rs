//! `cargo xtask test`: every test of the workspace, documentation's examples included.

use crate::{Outcome, process};

/// In the profile of `cargo xtask train`, with its features, so that no dependency is built twice.
pub(crate) fn run() -> Outcome {
    process::run(process::cargo("test --workspace --release".split(' ')))
}
