//! Where the time of a step of training goes: each operation timed alone, times how often a step does it, and the rest.

use std::time::Instant;

use embert_train::global_norm;

use crate::{
    case::{BATCH_SIZE, Case, precision},
    choice::Choice,
    operations::{self, Operation},
    sizes::{Size, bert_base, minilm},
    spread::Spread,
    trainer::Trainer,
    work::{Task, Work},
};

const MAX_LENGTH: usize = 256;

pub(crate) fn run(choice: &Choice) -> Result<(), String> {
    let mut cases = Vec::new();
    for size in [minilm(), bert_base()] {
        cases.extend([false, true].map(|bf16| case(&size, bf16)));
    }
    choice.among(cases, |case| &case.name).iter().for_each(print);
    Ok(())
}

fn case(size: &Size, bf16: bool) -> Case {
    let name = format!("{} {MAX_LENGTH} {}", size.name, precision(bf16));
    Case { name, ..Case::training(size, MAX_LENGTH, Task::Full, bf16) }
}

fn print(Case { name, work }: &Case) {
    let rows: Vec<usize> = (0..BATCH_SIZE).collect();
    let [whole, norm, adamw] = step(work, &rows);
    let mut operations = operations::measure(work, &rows);
    operations.push(Operation { name: "gradient norm", times: 1, seconds: norm });
    operations.push(Operation { name: "AdamW", times: 1, seconds: adamw });
    let line = |name: &str, seconds: f64| {
        println!("    {name:<28} {:>9.1} ms {:>6.1} %", 1e3 * seconds, 100.0 * seconds / whole);
    };
    println!("  {name}");
    line("step", whole);
    for operation in &operations {
        line(&format!("{} x {}", operation.times, operation.name), operation.total());
    }
    line("rest", whole - operations.iter().map(Operation::total).sum::<f64>());
}

/// The median seconds of a whole step, and of the gradients' norm and AdamW in it.
fn step(work: &Work, rows: &[usize]) -> [f64; 3] {
    let mut trainer = Trainer::new(work);
    let mut once = |_| {
        let (gradients, backward) = seconds(|| trainer.gradients(rows));
        let (_, norm) = seconds(|| global_norm(&gradients.gradients).into_data()); // once more
        let (_, adamw) = seconds(|| trainer.update(gradients));
        [backward + adamw, norm, adamw]
    };
    (0..work.warm_up).map(&mut once).for_each(drop);
    let times: Vec<[f64; 3]> = (0..work.steps).map(once).collect();
    [0, 1, 2].map(|part| Spread::of(times.iter().map(|time| time[part])).median)
}

fn seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begin = Instant::now();
    let result = work();
    (result, begin.elapsed().as_secs_f64())
}
