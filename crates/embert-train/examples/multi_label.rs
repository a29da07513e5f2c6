//! Trains a multi-label model and fits its decision thresholds: `cargo run --release -p embert-train --example multi_label`.

use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_inference::predict;
use embert_model::{AutoModelForSequenceClassification, ProblemType};
use embert_text::{Limit, Padding, Tokenizer, Truncation};
use embert_train::{
    ClassWeights, LabelledTexts, MetricOptions, Targets, TrainConfig, TrainData, TrainError, evaluate, fit,
    fit_thresholds,
};

mod tiny_bert;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Each text has any of the labels "funny" and "long".
    let texts: Vec<String> = (0..64)
        .map(|row| format!("a {} and {} film", ["sad", "funny"][row % 2], ["short", "long"][row / 2 % 2]))
        .collect();
    let labels = (0..64).map(|row| vec![row % 2 == 1, row / 2 % 2 == 1]).collect::<Vec<_>>();
    let targets = Targets::MultiHot(labels.clone());
    let tokenizer = Tokenizer::train(&texts, 100)?;
    let limit = Limit::new(16, Truncation::Right, 16)?;
    let encoded = tokenizer.encode_all(&texts, limit, &|_| ());
    let examples = LabelledTexts { texts: &encoded, targets: &targets };

    let mut model_config = tiny_bert::config(tokenizer.vocab_size());
    model_config.set_labels(["funny", "long"]);
    model_config.set_problem_type(ProblemType::MultiLabelClassification);
    let model = AutoModelForSequenceClassification::new(&model_config, 42, &Device::flex());

    let config = TrainConfig {
        learning_rate: 3e-3,
        num_train_epochs: 5.0,
        pos_weight: ClassWeights::Balanced,
        ..TrainConfig::default()
    };
    let (padding, metric_options) = (Padding::Packed, MetricOptions::default());
    let data = TrainData { train: examples, eval: None, padding, replicas: &[], metric_options };
    let fitted = fit(model, data, &config, &mut |_| Ok(ControlFlow::Continue(())))?;

    let batching = config.evaluation_batching(limit.max_length(), padding);
    let logits =
        predict::<TrainError>(&fitted.model, &encoded, batching, &mut |_| Ok(ControlFlow::Continue(())))?;
    let thresholds = fit_thresholds(&logits, &labels); // in practice, on validation examples
    let options = MetricOptions { thresholds: Some(&thresholds), ..MetricOptions::default() };
    let evaluation =
        evaluate(&fitted.model, examples, batching, options, &mut |_| Ok(ControlFlow::Continue(())))?;
    println!(
        "thresholds {thresholds:.2?}, micro F1 {:.2}",
        evaluation.metrics.value("f1_micro").unwrap_or_default()
    );
    model_config.set_thresholds(Some(thresholds))?; // saved in config.json
    Ok(())
}
