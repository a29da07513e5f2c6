//! A named row of a benchmark.

use crate::{
    device::IS_GPU,
    model_size::ModelSize,
    texts::imdb_lengths,
    workload::{Task, Workload},
};

pub(crate) struct Case {
    pub name: String,
    pub workload: Workload,
}

/// Rows in a batch. A GPU needs larger batches.
pub(crate) const BATCH_SIZE: usize = if IS_GPU { 32 } else { 8 };

impl Case {
    /// Returns a case of training steps. Large models make fewer steps. A GPU has every shape in the warm-up.
    pub(crate) fn training(size: &ModelSize, max_length: usize, task: Task, bf16: bool) -> Self {
        let kind = if task == Task::Lora { "lora" } else { "full" };
        let steps = match size.config.hidden_size {
            _ if IS_GPU => [6, 8],
            ..768 => [2, 6],
            _ => [2, 4],
        };
        let name = format!("{} {max_length} {kind} {}", size.name, precision(bf16));
        Self { name, workload: workload(size, max_length, task, bf16, steps) }
    }

    /// Returns a case of forward passes over the first rows.
    pub(crate) fn evaluation(size: &ModelSize, max_length: usize, bf16: bool, rows: usize) -> Self {
        let name = format!("{} {max_length} {}", size.name, precision(bf16));
        let mut workload = workload(size, max_length, Task::Evaluation, bf16, [1, 3]);
        workload.lengths.truncate(rows);
        Self { name, workload }
    }
}

/// `steps` are the numbers of warm-up steps and measured steps.
fn workload(size: &ModelSize, max_length: usize, task: Task, bf16: bool, steps: [usize; 2]) -> Workload {
    let [warm_up, steps] = steps;
    let (config, lengths) = (size.config.clone(), imdb_lengths(max_length));
    Workload {
        task,
        config,
        bf16,
        batch_size: BATCH_SIZE,
        max_length,
        lengths,
        warm_up,
        steps,
        on_gpu: IS_GPU,
    }
}

pub(crate) fn precision(bf16: bool) -> &'static str {
    if bf16 { "bf16" } else { "fp32" }
}
