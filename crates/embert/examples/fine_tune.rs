//! Fine-tunes a model on examples in memory and saves it: `cargo run --release --example fine_tune -- MODEL OUTPUT`.

use std::ops::ControlFlow;

use embert::{Classifier, Dataset, Device, Event, FineTuning, TrainConfig, fine_tune};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(model), Some(output)) = (arguments.next(), arguments.next()) else {
        return Err("usage: fine_tune MODEL OUTPUT".into());
    };
    let labels = ["good", "bad"].map(String::from);
    let examples: Vec<(String, String)> =
        (0..32).map(|n| &labels[n % 2]).map(|label| (format!("a {label} film"), label.clone())).collect();
    let train = TrainConfig { learning_rate: 2e-4, num_train_epochs: 5.0, ..TrainConfig::default() };
    let settings = FineTuning { train, max_length: Some(32), ..FineTuning::default() };
    let device = Device::default();
    fine_tune(&model, &Dataset::from_pairs(examples), &settings, &output, &device, &mut |event| {
        if let Event::Step(log) = event {
            println!("step {}: loss {:.3}", log.step, log.loss);
        }
        ControlFlow::Continue(())
    })?;
    let prediction = &Classifier::open(&output, &device)?.classify(&["a good film"])?[0];
    println!("{} {:.3}", prediction.label, prediction.score);
    Ok(())
}
