//! Compares the padding of random and grouped batches: `cargo run -p embert-text --example padding`.

use embert_text::{
    BatchBudget, LengthReport, Limit, Padding, PaddingWaste, TextError, Tokenizer, Truncation,
    evaluation_batches,
};

fn main() -> Result<(), TextError> {
    // 500 texts of 3 to 99 words.
    let texts: Vec<String> = (0..500).map(|n| "a good film ".repeat(1 + n * 7919 % 33)).collect();
    let tokenizer = Tokenizer::train(&texts, 50)?;
    let limit = Limit::new(64, Truncation::Right, 512)?;
    let encoded = tokenizer.encode_all(&texts, limit, &|_progress| ());

    if let Some(report) = LengthReport::new(encoded.full_lengths()) {
        println!("tokens per text: median {}, p99 {}, maximum {}", report.p50, report.p99, report.max);
    }
    let waste = PaddingWaste::new(&encoded.lengths(), limit.max_length(), 8, 42);
    println!("padding to max_length:     {:5.1} %", 100.0 * waste.max_length);
    println!("padding of random batches: {:5.1} %", 100.0 * waste.random);
    println!("padding of grouped batches:{:5.1} %", 100.0 * waste.grouped);

    for rows in evaluation_batches(&encoded.lengths(), BatchBudget::Tokens(4096)) {
        let batch = encoded.batch(&rows, Padding::MultipleOf(8));
        let num_tokens = batch.padded_to.unwrap_or_default();
        println!("{} texts padded to {num_tokens} tokens", batch.batch_size());
    }
    Ok(())
}
