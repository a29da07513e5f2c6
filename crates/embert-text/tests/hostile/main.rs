//! Hostile tokenizers and texts: each is read or refused by its name; none panics, or takes memory or time without end.

mod texts;
mod tokenizer_json;
mod vocab;

use std::path::Path;

use embert_text::{Limit, TextError, Tokenizer, Truncation};

/// The tokenizer of the committed vocabulary.
fn tokenizer() -> Tokenizer {
    Tokenizer::from_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vocab.txt")).unwrap()
}

/// Opens the tokenizer that a file belongs to, and has it read a text: every id has an embedding.
fn open(file: &Path) -> Result<(), TextError> {
    let tokenizer = Tokenizer::from_dir(file.parent().unwrap())?;
    let ids = tokenizer.encode("the unwanted [CLS] film é 電影 !", limit());
    assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()), "{ids:?}");
    assert_eq!(Some(ids[0]), tokenizer.token_to_id("[CLS]"));
    assert_eq!(ids.last().copied(), tokenizer.token_to_id("[SEP]"));
    Ok(())
}

fn limit() -> Limit {
    Limit::new(512, Truncation::Right, 512).unwrap()
}
