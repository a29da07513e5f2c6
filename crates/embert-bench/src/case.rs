//! A named row of a benchmark.

use embert_kernels::Precision;

use crate::{
    device::IS_GPU,
    model_size::ModelSize,
    texts::imdb_lengths,
    workload::{Task, Workload},
};

/// The numbers of warm-up steps and measured steps on a GPU.
const GPU_STEPS: [usize; 2] = [6, 8];

pub(crate) struct Case {
    pub name: String,
    pub workload: Workload,
}

/// The kind of processor that a case is made for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processor {
    Cpu,
    Gpu,
}

impl Processor {
    /// The processor of the benchmarks of this build.
    pub(crate) const OF_BUILD: Self = if IS_GPU { Self::Gpu } else { Self::Cpu };

    /// Returns the number of rows in a batch. A GPU needs larger batches.
    pub(crate) const fn batch_size(self) -> usize {
        match self {
            Self::Cpu => 8,
            Self::Gpu => 32,
        }
    }

    /// Returns the precisions of training that are worth a row.
    pub(crate) fn precisions(self) -> &'static [Precision] {
        match self {
            Self::Cpu => &[Precision::Fp32, Precision::Bf16],
            Self::Gpu => &[Precision::Fp32, Precision::Bf16, Precision::Fp16],
        }
    }
}

impl Case {
    /// Returns a case of training steps. Large models make fewer steps. A GPU has every shape in the warm-up.
    pub(crate) fn training(
        processor: Processor,
        size: &ModelSize,
        max_length: usize,
        task: Task,
        precision: Precision,
    ) -> Self {
        let kind = if task == Task::Lora { "lora" } else { "full" };
        let steps = match size.config.encoder().hidden_size {
            _ if processor == Processor::Gpu => GPU_STEPS,
            ..768 => [2, 6],
            _ => [2, 4],
        };
        let name = format!("{} {max_length} {kind} {}", size.name, precision_name(precision));
        Self { name, workload: workload(processor, size, max_length, task, precision, steps) }
    }

    /// Returns a case of few full training steps.
    pub(crate) fn family(
        processor: Processor,
        size: &ModelSize,
        max_length: usize,
        precision: Precision,
    ) -> Self {
        let steps = if processor == Processor::Gpu { GPU_STEPS } else { [1, 2] };
        let name = format!("{} {max_length} {}", size.name, precision_name(precision));
        Self { name, workload: workload(processor, size, max_length, Task::Full, precision, steps) }
    }

    /// Returns a case of full training steps of one row with the maximum number of tokens of the model.
    pub(crate) fn longest(processor: Processor, size: &ModelSize) -> Self {
        let max_length = size.config.encoder().max_length();
        let mut case = Self::family(processor, size, max_length, Precision::Fp32);
        case.workload.batch_size = 1;
        case.workload.lengths = vec![max_length; case.workload.warm_up + case.workload.steps];
        case
    }

    /// Returns a case of forward passes over the first rows.
    pub(crate) fn evaluation(size: &ModelSize, max_length: usize, precision: Precision, rows: usize) -> Self {
        let name = format!("{} {max_length} {}", size.name, precision_name(precision));
        let task = Task::Evaluation;
        let mut workload = workload(Processor::OF_BUILD, size, max_length, task, precision, [1, 3]);
        workload.lengths.truncate(rows);
        Self { name, workload }
    }
}

/// `steps` are the numbers of warm-up steps and measured steps.
fn workload(
    processor: Processor,
    size: &ModelSize,
    max_length: usize,
    task: Task,
    precision: Precision,
    [warm_up, steps]: [usize; 2],
) -> Workload {
    Workload {
        task,
        config: size.config.clone(),
        bf16: precision == Precision::Bf16,
        fp16: precision == Precision::Fp16,
        batch_size: processor.batch_size(),
        max_length,
        lengths: imdb_lengths(max_length),
        warm_up,
        steps,
        on_gpu: processor == Processor::Gpu,
        devices: 1,
    }
}

pub(crate) fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::Fp32 => "fp32",
        Precision::Tf32 => "tf32",
        Precision::Bf16 => "bf16",
        Precision::Fp16 => "fp16",
    }
}
