//! Classifies texts and prints the probability of each label:
//! `cargo run --release -p embert-inference --example classify_texts -- [MODEL_DIRECTORY TEXT...]`.

use std::error::Error;

use burn::tensor::Device;
use embert_inference::{Classifier, OpenOptions};

mod tiny_model;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let model = match arguments.next() {
        Some(directory) => directory,
        None => tiny_model::copy_to(folder.path())?,
    };
    let mut texts = arguments.collect::<Vec<_>>();
    if texts.is_empty() {
        texts = ["This movie is good", "the plot was dull"].map(String::from).into();
    }
    let options = OpenOptions { max_length: Some(32), ..OpenOptions::default() };
    let classifier = Classifier::open_with(model, &options, &Device::flex())?;
    for (text, prediction) in texts.iter().zip(classifier.classify(&texts)?) {
        println!("{text}: {} {:.3}", prediction.label, prediction.score);
        for (label, score) in classifier.labels.iter().zip(&prediction.scores) {
            println!("  {label:<10} {score:.3}");
        }
    }
    Ok(())
}
