//! Benchmark of training steps, with random weights and the lengths of IMDb's reviews.

use crate::{
    case::{BATCH_SIZE, Case},
    comparison,
    device::IS_GPU,
    model_size::{bert_base, minilm},
    selection::Selection,
    throughput,
    workload::Task,
};

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let cases = selection.filter(cases(), |case| &case.name);
    println!("  a step is {BATCH_SIZE} rows: forward, backward, clipping, AdamW");
    match &selection.peer {
        Some(python) => comparison::run(python, &cases),
        None => throughput::run(&cases),
    }
}

fn cases() -> Vec<Case> {
    let sizes = if IS_GPU {
        [(bert_base(), 128), (bert_base(), 256), (bert_base(), 512)]
    } else {
        [(minilm(), 256), (minilm(), 512), (bert_base(), 256)]
    };
    let mut cases = Vec::new();
    for (size, max_length) in sizes {
        for task in [Task::Full, Task::Lora] {
            cases.extend([false, true].map(|bf16| Case::training(&size, max_length, task, bf16)));
        }
    }
    cases
}
