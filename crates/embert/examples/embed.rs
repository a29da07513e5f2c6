//! Prints the cosine similarity of texts to the first text:
//! `cargo run --release -p embert --example embed -- [MODEL TEXT...]`.

use embert::{Device, Encoder, Pooling};

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
        texts = ["a good film", "a great movie", "the plot was dull"].map(String::from).into();
    }
    let encoder = Encoder::open(&model, &Device::default())?;
    let vectors = encoder.embed_normalized(&texts, Pooling::Mean)?; // [texts, hidden]
    for (text, vector) in texts.iter().zip(&vectors) {
        let cosine = vector.iter().zip(&vectors[0]).map(|(a, b)| a * b).sum::<f32>();
        println!("{cosine:.3} {text}");
    }
    Ok(())
}
