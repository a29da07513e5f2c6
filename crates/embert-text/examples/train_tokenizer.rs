//! Trains a WordPiece tokenizer, saves it and reads it again: `cargo run -p embert-text --example train_tokenizer`.

use embert_text::{Limit, TextError, Tokenizer, Truncation};

const TEXTS: [&str; 4] = [
    "The film was good, and the cast was good.",
    "An unwanted film, never seen!",
    "Unwanted films are never good films.",
    "The cast, the plot, the music: good.",
];

fn main() -> Result<(), TextError> {
    let tokenizer = Tokenizer::train(&TEXTS, 80)?;
    println!("{} tokens", tokenizer.vocab_size());

    let directory = std::env::temp_dir().join(format!("embert-tokenizer-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("the temporary directory is writable");
    tokenizer.save(&directory, "BertTokenizer", 512)?;
    let tokenizer = Tokenizer::from_dir(&directory)?;
    let _ = std::fs::remove_dir_all(directory);

    let text = "Good films are never unwanted, are they?";
    for truncation in ["right", "left", "head+tail(2,2)"] {
        let limit = Limit::new(8, truncation.parse::<Truncation>()?, 512)?;
        let ids = tokenizer.encode(text, limit);
        let tokens: Vec<_> = ids.iter().filter_map(|id| tokenizer.id_to_token(*id)).collect();
        println!("{truncation:>14}: {}", tokens.join(" "));
    }
    Ok(())
}
