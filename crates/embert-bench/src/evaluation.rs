//! Benchmark of forward passes without gradients, over texts with the lengths of IMDb's reviews.

use crate::{case::Case, comparison, model_size::minilm, selection::Selection, throughput};

const ROWS: usize = 128;
const MAX_LENGTH: usize = 256;

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let cases = [false, true].map(|bf16| Case::evaluation(&minilm(), MAX_LENGTH, bf16, ROWS));
    let cases = selection.filter(cases.into(), |case| &case.name);
    println!("  a step is {ROWS} rows, forward");
    match &selection.peer {
        Some(python) => comparison::run(python, &cases),
        None => throughput::run(&cases),
    }
}
