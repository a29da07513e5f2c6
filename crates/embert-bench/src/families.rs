//! Benchmark of training steps of the base size of each family, with random weights.

use crate::{
    case::{Case, Processor},
    comparison,
    model_size::{families, modernbert_base},
    selection::Selection,
    throughput,
};

/// The lengths of IMDb's reviews are truncated to these.
const MAX_LENGTHS: [usize; 2] = [256, 512];

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let processor = Processor::OF_BUILD;
    let cases = selection.filter(cases(processor), |case| &case.name);
    println!(
        "  a step is {} rows, or one row of exactly 8192 tokens: forward, backward, clipping, AdamW",
        processor.batch_size()
    );
    match &selection.peer {
        Some(python) => comparison::run(python, &cases, 1),
        None => throughput::run(&cases),
    }
}

fn cases(processor: Processor) -> Vec<Case> {
    let mut cases = Vec::new();
    for size in families() {
        for max_length in MAX_LENGTHS {
            let case = |&precision| Case::family(processor, &size, max_length, precision);
            cases.extend(processor.precisions().iter().map(case));
        }
    }
    cases.push(Case::longest(processor, &modernbert_base()));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_a_row_for_each_length_and_precision() {
        let cases = cases(Processor::Cpu);
        assert_eq!(cases.len(), 7 * 2 * 2 + 1);
        let names = ["roberta-base 256 fp32", "xlm-roberta-base 512 bf16", "modernbert-base 8192 fp32"];
        assert!(names.iter().all(|name| cases.iter().any(|case| case.name == *name)));
        let longest = &cases.last().expect("a row").workload;
        assert_eq!(longest.measured_lengths(), [[8192], [8192]]);
    }
}
