//! Fine-tunes a pretrained model on examples in memory, classifies a text with the result, and compares two vectors:
//! `cargo run --release -- MODEL OUTPUT`.

use std::error::Error;
use std::ops::ControlFlow;

use embert::{Classifier, Dataset, Device, Encoder, Event, FineTuning, Pooling, TrainConfig, fine_tune};

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "cpu")]
    embert::keep_freed_memory();
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let [model, output] = &arguments[..] else { return Err("usage: outside MODEL OUTPUT".into()) };
    let device = Device::default();

    let examples = [("a good film", "positive"), ("a bad film", "negative"), ("great", "positive"), ("dull", "negative")];
    let train = TrainConfig { learning_rate: 2e-4, num_train_epochs: 5.0, ..TrainConfig::default() };
    let settings = FineTuning { train, max_length: Some(32), ..FineTuning::default() };
    fine_tune(model, &Dataset::from_pairs(examples), &settings, output, &device, &mut |event| {
        if let Event::Step(log) = event {
            println!("step {}: loss {:.4} on {device:?}", log.step, log.loss);
        }
        ControlFlow::Continue(())
    })?;

    let classifier = Classifier::open(output, &device)?;
    for prediction in classifier.classify(&["a good film"])? {
        println!("{} {:.3}", prediction.label, prediction.score);
    }
    let vectors = Encoder::open(model, &device)?.embed_normalized(&["a film", "a movie"], Pooling::Mean)?;
    println!("cosine {:.3}", vectors[0].iter().zip(&vectors[1]).map(|(a, b)| a * b).sum::<f32>());
    Ok(())
}
