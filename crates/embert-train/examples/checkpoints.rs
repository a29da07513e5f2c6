//! Interrupts a run and resumes it from its checkpoint: `cargo run --release -p embert-train --example checkpoints`.

use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_model::{AutoModelForSequenceClassification, from_pretrained};
use embert_text::{Limit, Padding, Tokenizer, Truncation};
use embert_train::{
    Checkpoint, Event, LabelledTexts, MetricOptions, ModelCard, OnExisting, RunDirectory, RunSettings,
    Targets, TrainConfig, TrainData, fit, fit_from,
};

mod tiny_bert;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let texts: Vec<String> = (0..64).map(|row| format!("a {} film", ["bad", "good"][row % 2])).collect();
    let targets = Targets::Labels((0..64).map(|row| row % 2).collect());
    let tokenizer = Tokenizer::train(&texts, 100)?;
    let encoded = tokenizer.encode_all(&texts, Limit::new(16, Truncation::Right, 16)?, &|_| ());
    let train = LabelledTexts { texts: &encoded, targets: &targets };
    let data = TrainData {
        train,
        eval: None,
        padding: Padding::Packed,
        replicas: &[],
        metric_options: MetricOptions::default(),
    };
    let (model_config, device) = (tiny_bert::config(tokenizer.vocab_size()), Device::flex());
    let config = TrainConfig { num_train_epochs: 2.0, learning_rate: 1e-3, ..TrainConfig::default() };
    let settings =
        RunSettings { config: &config, model_config: &model_config, tokenizer: &tokenizer, recipe: "" };

    // A callback that returns `Break` stops the run after the current step, with a checkpoint.
    let folder = tempfile::tempdir()?;
    let output_dir = folder.path().join("run");
    let mut directory = RunDirectory::create(&output_dir, OnExisting::Refuse, settings)?;
    let model = AutoModelForSequenceClassification::new(&model_config, 42, &device);
    fit(model, data, &config, &mut |event| {
        directory.record(&event)?;
        let stops = matches!(event, Event::Step(log) if log.step == 5);
        Ok(if stops { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    drop(directory); // frees the lock

    let (checkpoint, _damaged) = Checkpoint::newest(&RunDirectory::repair(&output_dir)?)?;
    let checkpoint = checkpoint.ok_or("no checkpoint")?;
    println!("resuming at step {}", checkpoint.state().step());
    let model = from_pretrained(checkpoint.path(), &model_config, 0, &device)?.complete(checkpoint.path())?;
    let state = checkpoint.resume(&model, None)?;
    let mut directory = RunDirectory::resume(&checkpoint, &output_dir, OnExisting::Refuse, settings)?;
    let fitted = fit_from(model, state, data, &config, &mut |event| {
        directory.record(&event)?;
        Ok(ControlFlow::Continue(()))
    })?;
    let saved = directory.finish(&fitted.model, &fitted.report, None, &ModelCard::default())?;
    println!("finished at step {} in {}", fitted.report.global_step, saved.display());
    Ok(())
}
