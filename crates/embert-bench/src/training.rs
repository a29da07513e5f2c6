//! Benchmark of training steps, with random weights and the lengths of IMDb's reviews.

use crate::{
    case::{Case, Processor},
    comparison,
    model_size::{bert_base, minilm},
    selection::Selection,
    throughput,
    workload::Task,
};

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let processor = Processor::OF_BUILD;
    let cases = selection.filter(cases(processor), |case| &case.name);
    println!("  a step is {} rows: forward, backward, clipping, AdamW", processor.batch_size());
    match &selection.peer {
        Some(python) => comparison::run(python, &cases, comparison::ROUNDS),
        None => throughput::run(&cases),
    }
}

/// Returns the rows of a processor.
pub(crate) fn cases(processor: Processor) -> Vec<Case> {
    let sizes = match processor {
        Processor::Gpu => [(bert_base(), 128), (bert_base(), 256), (bert_base(), 512)],
        Processor::Cpu => [(minilm(), 256), (minilm(), 512), (bert_base(), 256)],
    };
    let mut cases = Vec::new();
    for (size, max_length) in sizes {
        for task in [Task::Full, Task::Lora] {
            let case = |&precision| Case::training(processor, &size, max_length, task, precision);
            cases.extend(processor.precisions().iter().map(case));
        }
    }
    cases
}
