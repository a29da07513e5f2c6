//! One optimizer step of a tiny BERT on made-up reviews, on the backend that this project chose.

use std::error::Error;
use std::ops::ControlFlow;

use burn::tensor::Device;
use embert_data::{require_two_classes, synthetic};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, BERT, EncoderConfig};
use embert_text::{Limit, Padding, Tokenizer, Truncation};
use embert_train::{Event, LabelledTexts, Targets, TrainConfig, TrainData, fit};

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "cpu")]
    embert_kernels::keep_freed_memory();
    let (device, padding) = device()?;
    let reviews = synthetic(64, 42);
    require_two_classes(&reviews)?;
    let (texts, labels): (Vec<_>, Vec<_>) =
        reviews.examples.iter().map(|review| (review.text.as_str(), review.label)).unzip();
    let tokenizer = Tokenizer::train(&texts, 300)?;
    let config = tiny(tokenizer.vocab_size());
    let limit = Limit::new(64, Truncation::Right, config.encoder.max_position_embeddings)?;
    let texts = tokenizer.encode_all(&texts, limit, &|_done| ());

    let model = AutoModelForSequenceClassification::new(&config, 42, &device);
    let data = TrainData { train: LabelledTexts { texts: &texts, targets: &Targets::Labels(labels) }, eval: None, padding, replicas: &[], pos_label: None };
    let train = TrainConfig { max_steps: Some(1), ..TrainConfig::default() };
    fit(model, data, &train, &mut |event| {
        if let Event::Step(log) = event {
            println!("step {}: loss {:.4} on {device:?}", log.step, log.loss);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(())
}

fn tiny(vocab_size: usize) -> AutoConfig {
    let encoder = EncoderConfig {
        vocab_size,
        hidden_size: 32,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 64,
        ..EncoderConfig::default()
    };
    AutoConfig::new(&BERT, encoder)
}

/// The device, if it is there, and how batches lie in its memory: a GPU tunes its kernels for each shape, so few should occur.
fn device() -> Result<(Device, Padding), Box<dyn Error>> {
    #[cfg(feature = "cuda")]
    return match Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec().into_iter().next() {
        Some(device) => Ok((device, Padding::MultipleOf(64))),
        None => Err("no CUDA device was found".into()),
    };
    #[cfg(all(feature = "wgpu", not(feature = "cuda")))]
    return Ok((Device::wgpu_options().init()?, Padding::MultipleOf(64)));
    #[cfg(not(any(feature = "cuda", feature = "wgpu")))]
    Ok((Device::flex(), Padding::Packed))
}
