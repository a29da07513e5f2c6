//! Benchmark of tokenization, on short made-up reviews and on longer ones with the length of IMDb's.

use crate::{
    measure::{BURN_IN, RUNS, time},
    selection::Selection,
};
use embert_data::synthetic;
use embert_text::{Limit, Tokenizer, Truncation};

const REVIEWS: usize = 8_000;
const SEED: u64 = 42;
const VOCAB_SIZE: usize = 8_000;
/// The number of made-up reviews with about the length of one IMDb review.
const JOINED: usize = 8;

pub(crate) fn run(selection: &Selection) -> Result<(), String> {
    println!("  median of {RUNS} after {BURN_IN}");
    let dataset = synthetic(REVIEWS, SEED);
    let short: Vec<String> = dataset.examples.into_iter().map(|example| example.text).collect();
    let long: Vec<String> = short.chunks(JOINED).map(|reviews| reviews.join(" ")).collect();
    let tokenizer = Tokenizer::train(&short, VOCAB_SIZE).expect("made-up reviews contain words");
    let rows = vec![("short reviews", &short), ("long reviews", &long)];
    for (name, texts) in selection.filter(rows, |(name, _)| name) {
        encode(&tokenizer, name, texts);
    }
    Ok(())
}

fn encode(tokenizer: &Tokenizer, name: &str, texts: &[String]) {
    let limit = Limit::new(512, Truncation::Right, 512).expect("no more than the positions");
    let time = time(|| tokenizer.encode_all(texts, limit, &|_| ())).median;
    let tokens = tokenizer.encode_all(texts, limit, &|_| ()).num_tokens();
    let per_text = tokens as f64 / texts.len() as f64;
    let (texts_per_second, tokens_per_second) = (texts.len() as f64 / time, tokens as f64 / time);
    println!(
        "  {name:<16} {per_text:>6.1} tokens each {texts_per_second:>10.0} texts/s {:>8.2} M tokens/s",
        tokens_per_second / 1e6
    );
}
