//! Steps of training on random weights and texts as long as IMDb's reviews.

use crate::{
    case::{BATCH_SIZE, Case},
    choice::Choice,
    comparison,
    device::IS_GPU,
    rates,
    sizes::{bert_base, minilm},
    work::Task,
};

pub(crate) fn run(choice: &Choice) -> Result<(), String> {
    let cases = choice.among(cases(), |case| &case.name);
    println!("  a step is {BATCH_SIZE} rows: forward, backward, clipping, AdamW");
    match &choice.peer {
        Some(python) => comparison::run(python, &cases),
        None => rates::run(&cases),
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
