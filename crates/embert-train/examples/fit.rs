//! Trains and evaluates a tiny BERT on made-up texts: `cargo run --release -p embert-train --example fit`.

use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_model::AutoModelForSequenceClassification;
use embert_text::{Limit, Padding, Tokenizer, Truncation};
use embert_train::{Event, LabelledTexts, MetricOptions, Targets, TrainConfig, TrainData, evaluate, fit};

mod tiny_bert;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let texts: Vec<String> = (0..64).map(|row| format!("a {} film", ["bad", "good"][row % 2])).collect();
    let targets = Targets::Labels((0..64).map(|row| row % 2).collect());
    let tokenizer = Tokenizer::train(&texts, 100)?;
    let limit = Limit::new(16, Truncation::Right, 16)?;
    let encoded = tokenizer.encode_all(&texts, limit, &|_| ());
    let examples = LabelledTexts { texts: &encoded, targets: &targets };

    let model = AutoModelForSequenceClassification::new(
        &tiny_bert::config(tokenizer.vocab_size()),
        42,
        &Device::flex(),
    );

    let config = TrainConfig { learning_rate: 3e-3, num_train_epochs: 5.0, ..TrainConfig::default() };
    let padding = Padding::Packed;
    let data = TrainData {
        train: examples,
        eval: None,
        padding,
        replicas: &[],
        metric_options: MetricOptions::default(),
    };
    let fitted = fit(model, data, &config, &mut |event| {
        if let Event::Step(log) = event {
            println!("step {:>2} loss {:.4} learning rate {:.1e}", log.step, log.loss, log.learning_rate);
        }
        Ok(ControlFlow::Continue(()))
    })?;

    let batching = config.evaluation_batching(limit.max_length(), padding);
    let on_progress = &mut |_| Ok(ControlFlow::Continue(()));
    let evaluation = evaluate(&fitted.model, examples, batching, MetricOptions::default(), on_progress)?;
    println!("accuracy {:.2}", evaluation.metrics.value("accuracy").unwrap_or_default());
    Ok(())
}
