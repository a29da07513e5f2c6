//! `cargo xtask test`: every test of the workspace, documentation's examples included.

use crate::{Outcome, process};

/// One profile and one set of features, so that nothing is built twice.
pub(crate) fn run() -> Outcome {
    process::run(process::cargo("test --workspace".split(' ')))
}
