//! BERT's pipeline for a WordPiece vocabulary (`vocab.txt`), which MPNet has with other special tokens.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::special_tokens::SpecialTokens;
use crate::tokenizer_class::TokenizerClass;
use crate::{Result, special_token_template};

/// Returns the content of a `tokenizer.json` for an uncased vocabulary. `origin` is its file, for errors.
pub(crate) fn content(
    class: TokenizerClass,
    vocabulary: &BTreeMap<String, u32>,
    tokens: &SpecialTokens,
    origin: &str,
) -> Result<Value> {
    let cls = tokens.with_id("cls_token", vocabulary, origin)?;
    let sep = tokens.with_id("sep_token", vocabulary, origin)?;
    let pair_type = if class == TokenizerClass::Bert { 1 } else { 0 };
    Ok(json!({
        "version": "1.0",
        "added_tokens": tokens.added(vocabulary),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": true,
            "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": special_token_template::component(&cls, &sep, class.separators(), pair_type),
        "model": {
            "type": "WordPiece",
            "unk_token": tokens.content("unk_token"),
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }))
}
