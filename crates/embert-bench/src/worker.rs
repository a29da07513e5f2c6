//! The child process: reads work from standard input, does it with embert and answers in one line.

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
    work::{Answer, Task, Work},
};

pub(crate) fn run() -> Result<(), String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|source| format!("no work came: {source}"))?;
    let work = serde_json::from_str(&text).map_err(|source| format!("work: {source}"))?;
    println!("{}", serde_json::to_string(&answer(&work)).expect("an answer is JSON"));
    Ok(())
}

fn answer(work: &Work) -> Answer {
    let seconds = match work.task {
        Task::Full | Task::Lora => training(work),
        Task::Evaluation => evaluation(work),
    };
    let versions = format!("embert {}", env!("CARGO_PKG_VERSION"));
    let first_seconds = seconds[0];
    Answer {
        seconds: seconds[work.warm_up..].to_vec(),
        first_seconds,
        peak_bytes: device::peak_bytes(),
        versions,
    }
}

fn training(work: &Work) -> Vec<f64> {
    let mut trainer = Trainer::new(work);
    let seconds = |rows: &Vec<usize>| {
        let begin = Instant::now();
        trainer.step(rows);
        begin.elapsed().as_secs_f64()
    };
    work.rows().iter().map(seconds).collect()
}

fn evaluation(work: &Work) -> Vec<f64> {
    let (device, padding) = device::open();
    let model = work.model(&device).valid();
    let config = TrainConfig {
        bf16: work.bf16,
        per_device_eval_batch_size: work.batch_size,
        ..TrainConfig::default()
    };
    let batching = config.evaluation_batching(work.max_length, padding);
    let texts = crate::texts::texts(work);
    let seconds = |_| {
        let begin = Instant::now();
        let go_on = &mut |_| Ok(std::ops::ControlFlow::Continue(()));
        predict::<InferenceError>(&model, &texts, batching, go_on).expect("nobody interrupts");
        begin.elapsed().as_secs_f64()
    };
    (0..work.warm_up + work.steps).map(seconds).collect()
}
