//! The worker process: reads a workload from standard input, runs it with embert, and prints a measurement. Before that,
//! it prints the time of each training step, so that a process that is stopped leaves some numbers.

use std::{
    io::{self, Read},
    time::Instant,
};

use burn::module::Module;
use embert_inference::{InferenceError, predict};
use embert_train::TrainConfig;

use crate::{
    device,
    trainer::Trainer,
    workload::{Measurement, Task, Workload},
};

/// The argument for a driver that computes nothing, so that losses mean nothing.
const ANY_LOSS: &str = "--any-loss";

pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let any_loss = match args {
        [] => false,
        [arg] if arg == ANY_LOSS => true,
        _ => return Err(format!("worker takes only {ANY_LOSS}, found `{}`", args.join(" "))),
    };
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|source| format!("cannot read the workload: {source}"))?;
    let workload = serde_json::from_str(&text).map_err(|source| format!("invalid workload: {source}"))?;
    println!("{}", serde_json::to_string(&measure(&workload, any_loss)).expect("a measurement is JSON"));
    Ok(())
}

fn measure(workload: &Workload, any_loss: bool) -> Measurement {
    let seconds = match workload.task {
        Task::Full | Task::Lora => training(workload, any_loss),
        Task::Evaluation => evaluation(workload),
    };
    let versions = format!("embert {}", env!("CARGO_PKG_VERSION"));
    let first_seconds = seconds[0];
    Measurement {
        seconds: seconds[workload.warm_up..].to_vec(),
        first_seconds,
        peak_bytes: device::peak_bytes(workload),
        versions,
    }
}

fn training(workload: &Workload, any_loss: bool) -> Vec<f64> {
    let mut trainer = Trainer::new(workload);
    let seconds = |(number, rows): (usize, &Vec<usize>)| {
        let begin = Instant::now();
        let loss_and_norm = trainer.step(rows);
        let elapsed = begin.elapsed().as_secs_f64();
        println!("step {}: {elapsed:.4} s", number + 1);
        let is_finite = loss_and_norm.iter().all(|number| number.is_finite());
        assert!(any_loss || is_finite, "the first steps do not diverge: loss and norm {loss_and_norm:?}");
        elapsed
    };
    workload.rows().iter().enumerate().map(seconds).collect()
}

fn evaluation(workload: &Workload) -> Vec<f64> {
    let (devices, padding) = device::open_all(workload);
    let model = workload.model(&devices[0]).valid();
    let config = TrainConfig {
        bf16: workload.bf16,
        fp16: workload.fp16,
        per_device_eval_batch_size: workload.batch_size,
        ..TrainConfig::default()
    };
    let batching = config.evaluation_batching(workload.max_length, padding);
    let texts = crate::texts::texts(workload);
    let seconds = |_| {
        let begin = Instant::now();
        let on_progress = &mut |_| Ok(std::ops::ControlFlow::Continue(()));
        predict::<InferenceError>(&model, &texts, batching, on_progress).expect("nobody interrupts");
        begin.elapsed().as_secs_f64()
    };
    (0..workload.warm_up + workload.steps).map(seconds).collect()
}
