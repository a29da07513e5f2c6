//! Fine-tunes a model on examples in memory, and opens the result:
//! `cargo run --release -p embert --example fine_tune -- [MODEL OUTPUT]`.

use std::ops::ControlFlow;

use embert::{Classifier, Dataset, Device, Event, FineTuning, TrainConfig, fine_tune};

mod tiny_model;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let (model, learning_rate) = match arguments.next() {
        Some(model) => (model, 2e-5),
        None => (tiny_model::copy_to(folder.path())?, 5e-3), // its weights are random
    };
    let output = arguments.next().unwrap_or_else(|| folder.path().join("run").display().to_string());

    let examples = (0..32).map(|n| [("a good film", "good"), ("a bad film", "bad")][n % 2]);
    let train = TrainConfig { learning_rate, num_train_epochs: 5.0, ..TrainConfig::default() };
    let settings = FineTuning { train, max_length: Some(32), ..FineTuning::default() };
    let device = Device::default();
    fine_tune(&model, &Dataset::from_pairs(examples), &settings, &output, &device, &mut |event| {
        if let Event::Step(log) = event {
            println!("step {}: loss {:.3}", log.step, log.loss);
        }
        ControlFlow::Continue(())
    })?;
    let prediction = &Classifier::open(&output, &device)?.classify(&["a good film"])?[0];
    println!("a good film: {} {:.3}", prediction.label, prediction.score);
    Ok(())
}
