//! RoBERTa's byte-level BPE: reads `vocab.json` and `merges.txt`.
//!
//! The pipeline is that of `RobertaConverter` in convert_slow_tokenizer.py of transformers.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::json_file::{parse_json, read};
use crate::special_tokens::SpecialTokens;
use crate::{Result, TextError, tokenizer_json, vocabulary};

/// Returns the content of a `tokenizer.json` for the `vocab.json` at `path`, with the `merges.txt` next to it.
pub(crate) fn content(path: &Path, bytes: &[u8], config: &Value, tokens: &SpecialTokens) -> Result<Value> {
    let origin = path.display().to_string();
    let vocab = parse_json(bytes, path)?;
    if !vocab.is_object() {
        let reason = "it is not a JSON object of tokens and ids".to_owned();
        return Err(TextError::Malformed { origin, reason });
    }
    let vocabulary = tokenizer_json::ids(&vocab, &origin)?;
    let cls = tokens.with_id("cls_token", &vocabulary, &origin)?;
    let sep = tokens.with_id("sep_token", &vocabulary, &origin)?;
    let merges_path = path.with_file_name("merges.txt");
    let merges = parse_merges(&read(&merges_path)?, &vocabulary, &merges_path.display().to_string())?;
    let add_prefix_space = config["add_prefix_space"].as_bool().unwrap_or(false);
    Ok(json!({
        "version": "1.0",
        "added_tokens": tokens.added(&vocabulary),
        "normalizer": null,
        "pre_tokenizer": byte_level(add_prefix_space),
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": sep,
            "cls": cls,
            "trim_offsets": true,
            "add_prefix_space": add_prefix_space,
        },
        "decoder": byte_level(true),
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": null,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": false,
            "byte_fallback": false,
            "ignore_merges": false,
            "vocab": vocab,
            "merges": merges,
        },
    }))
}

/// Returns the component of byte-level pre-tokenizers and decoders.
pub(crate) fn byte_level(add_prefix_space: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true})
}

/// Parses lines of two tokens, most frequent first. A line `#version: 0.2` is skipped.
fn parse_merges(bytes: &[u8], vocabulary: &BTreeMap<String, u32>, origin: &str) -> Result<Vec<[String; 2]>> {
    let mut merges = vec![];
    for (index, line) in vocabulary::text(bytes, origin)?.lines().enumerate() {
        if line.starts_with("#version") || line.is_empty() {
            continue;
        }
        let malformed = |reason: String| TextError::Malformed {
            origin: origin.to_owned(),
            reason: format!("line {}: {reason}", index + 1),
        };
        let Some((left, right)) = line.split_once(' ').filter(|(_, right)| !right.contains(' ')) else {
            return Err(malformed(format!("{line:.40?} is not two tokens with a space between them")));
        };
        for token in [left, right, &format!("{left}{right}")] {
            if !vocabulary.contains_key(token) {
                return Err(malformed(format!("vocab.json lacks the token {token:.40?}")));
            }
        }
        merges.push([left.to_owned(), right.to_owned()]);
    }
    Ok(merges)
}
