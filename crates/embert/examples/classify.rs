//! Labels texts with a fine-tuned model: `cargo run --release --example classify -- runs/stars "This movie is good"`.

use embert::{Classifier, Device};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("usage: classify MODEL TEXT...")?;
    let texts = arguments.collect::<Vec<_>>();
    let classifier = Classifier::open(&model, &Device::default())?;
    for prediction in classifier.classify(&texts)? {
        println!("{} {:.3}", prediction.label, prediction.score);
    }
    Ok(())
}
