//! The time of each operation in a training step: measured alone, times its number of calls in a step.

use std::time::Instant;

use embert_kernels::Precision;
use embert_train::global_norm;

use crate::{
    case::{Case, Processor, precision_name},
    model_size::{ModelSize, bert_base, minilm},
    operations::{self, Operation},
    selection::Selection,
    spread::Spread,
    trainer::Trainer,
    workload::{Task, Workload},
};

const MAX_LENGTH: usize = 256;

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    let mut cases = Vec::new();
    for size in [minilm(), bert_base()] {
        cases.extend([Precision::Fp32, Precision::Bf16].map(|precision| case(&size, precision)));
    }
    selection.filter(cases, |case| &case.name).iter().for_each(print);
    Ok(())
}

fn case(size: &ModelSize, precision: Precision) -> Case {
    let name = format!("{} {MAX_LENGTH} {}", size.name, precision_name(precision));
    Case { name, ..Case::training(Processor::OF_BUILD, size, MAX_LENGTH, Task::Full, precision) }
}

fn print(Case { name, workload }: &Case) {
    let rows: Vec<usize> = (0..workload.batch_size).collect();
    let [total, norm, adamw] = step(workload, &rows);
    let mut operations = operations::measure(workload, &rows);
    operations.push(Operation { name: "gradient norm", times: 1, seconds: norm });
    operations.push(Operation { name: "AdamW", times: 1, seconds: adamw });
    let line = |name: &str, seconds: f64| {
        println!("    {name:<28} {:>9.1} ms {:>6.1} %", 1e3 * seconds, 100.0 * seconds / total);
    };
    println!("  {name}");
    line("step", total);
    for operation in &operations {
        line(&format!("{} x {}", operation.times, operation.name), operation.total());
    }
    line("rest", total - operations.iter().map(Operation::total).sum::<f64>());
}

/// Returns the median seconds of a step, and of the gradient norm and AdamW in it.
fn step(workload: &Workload, rows: &[usize]) -> [f64; 3] {
    let mut trainer = Trainer::new(workload);
    let mut once = |_| {
        let (gradients, backward) = seconds(|| trainer.gradients(rows));
        let (_, norm) = seconds(|| global_norm(&gradients.gradients).into_data()); // computed a second time
        let (_, adamw) = seconds(|| trainer.update(gradients));
        [backward + adamw, norm, adamw]
    };
    (0..workload.warm_up).map(&mut once).for_each(drop);
    let times: Vec<[f64; 3]> = (0..workload.steps).map(once).collect();
    [0, 1, 2].map(|part| Spread::of(times.iter().map(|time| time[part])).median)
}

fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed().as_secs_f64())
}
