//! A row of a benchmark: a piece of work under a name to choose it by.

use crate::{
    device::IS_GPU,
    sizes::Size,
    texts::imdb_lengths,
    work::{Task, Work},
};

pub(crate) struct Case {
    pub name: String,
    pub work: Work,
}

/// Rows in a batch: a GPU wants more.
pub(crate) const BATCH_SIZE: usize = if IS_GPU { 32 } else { 8 };

impl Case {
    /// Steps of training; a large model makes fewer of them, and a GPU meets every shape before those that count.
    pub(crate) fn training(size: &Size, max_length: usize, task: Task, bf16: bool) -> Self {
        let kind = if task == Task::Lora { "lora" } else { "full" };
        let steps = match size.config.hidden_size {
            _ if IS_GPU => [6, 8],
            ..768 => [2, 6],
            _ => [2, 4],
        };
        let name = format!("{} {max_length} {kind} {}", size.name, precision(bf16));
        Self { name, work: work(size, max_length, task, bf16, steps) }
    }

    /// Forward passes over the first rows.
    pub(crate) fn evaluation(size: &Size, max_length: usize, bf16: bool, rows: usize) -> Self {
        let name = format!("{} {max_length} {}", size.name, precision(bf16));
        let mut work = work(size, max_length, Task::Evaluation, bf16, [1, 3]);
        work.lengths.truncate(rows);
        Self { name, work }
    }
}

/// `steps`: those before the ones that count, and those.
fn work(size: &Size, max_length: usize, task: Task, bf16: bool, steps: [usize; 2]) -> Work {
    let [warm_up, steps] = steps;
    let (config, lengths) = (size.config.clone(), imdb_lengths(max_length));
    Work { task, config, bf16, batch_size: BATCH_SIZE, max_length, lengths, warm_up, steps, on_gpu: IS_GPU }
}

pub(crate) fn precision(bf16: bool) -> &'static str {
    if bf16 { "bf16" } else { "fp32" }
}
