//! Writes the files of a tokenizer, which `AutoTokenizer` of transformers opens.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::{Model, NormalizerWrapper};

use crate::{Result, TextError, Truncation, added_tokens, vocabulary};

/// Keys of the special tokens in transformers.
const SPECIAL_TOKEN_KEYS: [(&str, &str); 5] = [
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

/// Writes the files into an existing directory and replaces existing files.
pub(crate) fn save(
    tokenizer: &tokenizers::Tokenizer,
    directory: &Path,
    tokenizer_class: &str,
    model_max_length: usize,
    truncation: Truncation,
) -> Result<()> {
    let tokens: BTreeMap<u32, String> =
        tokenizer.get_model().get_vocab().into_iter().map(|(token, id)| (id, token)).collect();
    let json = tokenizer.to_string(true).expect("a tokenizer is plain data");
    let added_tokens = added_tokens::by_id(tokenizer);
    let mut special_tokens: Map<_, _> =
        SPECIAL_TOKEN_KEYS.iter().map(|(name, token)| (name.to_string(), Value::from(*token))).collect();
    let additional = added_tokens::additional_special_tokens(&added_tokens);
    if !additional.is_empty() {
        special_tokens.insert("additional_special_tokens".to_owned(), json!(additional));
    }
    let mut config = config(tokenizer, &special_tokens, tokenizer_class, model_max_length, truncation);

    let decoder = added_tokens.iter().map(|(id, token)| (id.to_string(), added_tokens::without_id(token)));
    config.insert("added_tokens_decoder".to_owned(), decoder.collect());
    let new_tokens = added_tokens.iter().filter(|(id, _)| !tokens.contains_key(id));
    let new_tokens: Map<_, _> = new_tokens.map(|(id, token)| (token.content.clone(), json!(id))).collect();

    write(directory, "tokenizer.json", &json)?;
    if !new_tokens.is_empty() {
        write(directory, "added_tokens.json", &pretty(new_tokens))?;
    }
    write(directory, "vocab.txt", &vocabulary::to_lines(&tokens))?;
    write(directory, "tokenizer_config.json", &pretty(config))?;
    write(directory, "special_tokens_map.json", &pretty(special_tokens))
}

fn config(
    tokenizer: &tokenizers::Tokenizer,
    special_tokens: &Map<String, Value>,
    tokenizer_class: &str,
    model_max_length: usize,
    truncation: Truncation,
) -> Map<String, Value> {
    let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.get_normalizer() else {
        unreachable!("loading rejects other normalizers")
    };
    let mut config = special_tokens.clone();
    config.insert("tokenizer_class".to_owned(), json!(tokenizer_class));
    config.insert("do_lower_case".to_owned(), json!(normalizer.lowercase));
    config.insert("strip_accents".to_owned(), json!(normalizer.strip_accents));
    config.insert("tokenize_chinese_chars".to_owned(), json!(normalizer.handle_chinese_chars));
    config.insert("model_max_length".to_owned(), json!(model_max_length));
    config.insert("truncation_side".to_owned(), json!(truncation_side(truncation)));
    config
}

/// Returns the `truncation_side` of transformers, which has no name for head and tail.
fn truncation_side(truncation: Truncation) -> &'static str {
    match truncation {
        Truncation::Left => "left",
        Truncation::Right | Truncation::HeadTail { .. } => "right",
    }
}

fn pretty(object: Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(object))
}

fn write(directory: &Path, name: &str, content: &str) -> Result<()> {
    let path = directory.join(name);
    fs::write(&path, content).map_err(|source| TextError::Write { path, source })
}
