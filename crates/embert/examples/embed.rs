//! Compares texts with the first one: `cargo run --release --example embed -- all-MiniLM-L6-v2 "a cat" "a kitten" "a car"`.

use embert::{Device, Encoder, Pooling};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().ok_or("usage: embed MODEL TEXT...")?;
    let texts = arguments.collect::<Vec<_>>();
    let encoder = Encoder::open(&model, &Device::default())?;
    let vectors = encoder.embed_normalized(&texts, Pooling::Mean)?; // [texts, hidden]
    for (text, vector) in texts.iter().zip(&vectors) {
        let cosine = vector.iter().zip(&vectors[0]).map(|(a, b)| a * b).sum::<f32>();
        println!("{cosine:.3} {text}");
    }
    Ok(())
}
