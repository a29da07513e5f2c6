//! Reads a tokenizer in any format, for example a SentencePiece model, and saves it for `AutoTokenizer`:
//! `cargo run -p embert-text --example convert_tokenizer DIRECTORY OUTPUT RobertaTokenizer`.

use std::path::Path;
use std::{env, fs};

use embert_text::Tokenizer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [directory, output, tokenizer_class] = &arguments[..] else {
        println!("usage: convert_tokenizer DIRECTORY OUTPUT TOKENIZER_CLASS");
        return Ok(());
    };
    let tokenizer = Tokenizer::from_dir(Path::new(directory))?;
    fs::create_dir_all(output)?;
    tokenizer.save(Path::new(output), tokenizer_class, 512)?;
    println!("{output}: {} tokens, padding is {}", tokenizer.vocab_size(), tokenizer.pad_id());
    Ok(())
}
