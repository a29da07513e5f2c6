//! Malformed tokenizers and unusual texts: no panics, and limited memory and time.

mod families;
mod texts;
mod tokenizer_json;
mod vocab;

use std::path::Path;

use embert_text::{Limit, TextError, Tokenizer, Truncation};

/// Returns the tokenizer of the committed vocabulary.
fn tokenizer() -> Tokenizer {
    Tokenizer::from_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vocab.txt")).unwrap()
}

/// Opens the tokenizer in the directory of a file and encodes a text and a pair. All ids must be below `vocab_size`.
fn open(file: &Path) -> Result<(), TextError> {
    let tokenizer = Tokenizer::from_dir(file.parent().unwrap())?;
    let ids = tokenizer.encode("the unwanted [CLS] film é 電影 !", limit());
    assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()), "{ids:?}");
    assert_eq!(Some(ids[0]), tokenizer.token_to_id("[CLS]"));
    assert_eq!(ids.last().copied(), tokenizer.token_to_id("[SEP]"));
    match tokenizer.encode_pair("the film", "é", limit()) {
        Ok(pair) => assert!(pair.ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()), "{pair:?}"),
        Err(error) => assert!(matches!(error, TextError::UnsupportedPairs { .. }), "{error}"),
    }
    Ok(())
}

fn limit() -> Limit {
    Limit::new(512, Truncation::Right, 512).unwrap()
}
