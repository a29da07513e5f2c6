//! Benchmark of forward passes without gradients, over texts with the lengths of IMDb's reviews.

use embert_kernels::Precision;

use crate::{case::Case, comparison, model_size::minilm, selection::Selection, throughput};

const ROWS: usize = 128;
const MAX_LENGTH: usize = 256;

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let case = |precision| Case::evaluation(&minilm(), MAX_LENGTH, precision, ROWS);
    let cases = [Precision::Fp32, Precision::Bf16].map(case);
    let cases = selection.filter(cases.into(), |case| &case.name);
    println!("  a step is {ROWS} rows, forward");
    match &selection.peer {
        Some(python) => comparison::run(python, &cases, comparison::ROUNDS),
        None => throughput::run(&cases),
    }
}
