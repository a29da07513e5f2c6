//! Classifies texts: `cargo run --release -p embert --example classify -- [MODEL TEXT...]`.

use embert::{Classifier, Device};

mod tiny_model;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let model = match arguments.next() {
        Some(model) => model,
        None => tiny_model::copy_to(folder.path())?,
    };
    let mut texts = arguments.collect::<Vec<_>>();
    if texts.is_empty() {
        texts = ["This movie is good", "the plot was dull"].map(String::from).into();
    }
    let classifier = Classifier::open(&model, &Device::default())?;
    for (text, prediction) in texts.iter().zip(classifier.classify(&texts)?) {
        println!("{text}: {} {:.3}", prediction.label, prediction.score);
    }
    Ok(())
}
