//! Semantic search: ranks documents by their cosine similarity to a query:
//! `cargo run --release -p embert-inference --example search -- [MODEL_DIRECTORY QUERY]`.

use std::error::Error;

use burn::tensor::Device;
use embert_inference::{Encoder, Pooling};

mod tiny_model;

const DOCUMENTS: [&str; 4] =
    ["the plot was dull", "a great film of the great actor", "the actor was not very good", "a bad movie"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir()?;
    let model = match arguments.next() {
        Some(directory) => directory,
        None => tiny_model::copy_to(folder.path())?,
    };
    let query = arguments.next().unwrap_or_else(|| "a great actor".into());

    let encoder = Encoder::open(model, &Device::flex())?;
    let documents = encoder.embed_normalized(&DOCUMENTS, Pooling::Mean)?; // [documents, hidden]
    let query = &encoder.embed_normalized(&[query], Pooling::Mean)?[0]; // [hidden]
    let cosine = |document: &Vec<f32>| document.iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    let mut ranking = documents.iter().map(cosine).zip(DOCUMENTS).collect::<Vec<_>>();
    ranking.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    for (similarity, document) in ranking {
        println!("{similarity:.3} {document}");
    }
    Ok(())
}
