//! `tokenizer.json`: the one door between a file and the `tokenizers` crate, which can panic on crafted files.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use tokenizers::AddedToken;

use crate::vocabulary::SPECIAL_TOKENS;
use crate::{Result, TextError};

/// Ids above this are refused: an embedding of so many rows is a damaged file, not a vocabulary.
const MAX_VOCAB_SIZE: u32 = 1 << 24;

/// The longest word that may be taken apart; every BERT has 100.
const MAX_INPUT_CHARS_PER_WORD: u64 = 1000;

/// What `tokenizer_config.json` says, and what the normalizer in `tokenizer.json` calls it.
const NORMALIZER_KEYS: [(&str, &str); 3] = [
    ("do_lower_case", "lowercase"),
    ("strip_accents", "strip_accents"),
    ("tokenize_chinese_chars", "handle_chinese_chars"),
];

/// The content of a `tokenizer.json` for an uncased BERT vocabulary.
pub(crate) fn from_vocabulary(vocabulary: &BTreeMap<String, u32>) -> Value {
    json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": true,
            "handle_chinese_chars": true,
            "strip_accents": null,
            "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    })
}

/// Lets what `tokenizer_config.json` states win over the normalizer, as transformers does.
pub(crate) fn apply_config(tokenizer: &mut Value, config: &Value, config_path: &str) -> Result<()> {
    for (key, normalizer_key) in NORMALIZER_KEYS {
        let Some(stated) = config.get(key) else { continue };
        let is_null = stated.is_null();
        if is_null && key != "strip_accents" {
            continue;
        }
        if !(stated.is_boolean() || is_null) {
            return Err(broken(config_path, format!("{key} is {stated}, not true or false")));
        }
        if let Some(normalizer) = tokenizer.get_mut("normalizer").and_then(Value::as_object_mut) {
            normalizer.insert(normalizer_key.to_owned(), stated.clone());
        }
    }
    Ok(())
}

/// Builds the tokenizer that `content` describes, without its truncation and padding.
///
/// Only BERT's parts are accepted: other normalizers and models are other families' and bring
/// other failures. `origin` is the file's name for errors.
pub(crate) fn load(mut content: Value, origin: &str) -> Result<tokenizers::Tokenizer> {
    check_parts(&content, origin)?;
    let listed_tokens = content["added_tokens"].clone();
    let fields = content.as_object_mut().ok_or_else(|| broken(origin, "not a JSON object".to_owned()))?;
    for set_by_the_caller in ["truncation", "padding"] {
        fields.remove(set_by_the_caller);
    }
    fields.insert("decoder".to_owned(), json!({"type": "WordPiece", "prefix": "##", "cleanup": true}));
    let vocabulary = checked_vocabulary(&content, origin)?;
    add_post_processor(&mut content, &vocabulary);

    let tokenizer = caught(|| build(content)).map_err(|reason| broken(origin, reason))?;
    check_added_tokens(&tokenizer, &listed_tokens, origin)?;
    Ok(tokenizer)
}

fn check_parts(content: &Value, origin: &str) -> Result<()> {
    // Files of old versions state no type for the model.
    if !content["model"]["type"].is_null() {
        expect(&content["model"]["type"], "model.type", "WordPiece", origin)?;
    }
    check_word_length(&content["model"]["max_input_chars_per_word"], origin)?;
    expect(&content["model"]["unk_token"], "model.unk_token", "[UNK]", origin)?;
    expect(&content["model"]["continuing_subword_prefix"], "model.continuing_subword_prefix", "##", origin)?;
    expect(&content["normalizer"]["type"], "normalizer.type", "BertNormalizer", origin)?;
    expect(&content["pre_tokenizer"]["type"], "pre_tokenizer.type", "BertPreTokenizer", origin)
}

/// WordPiece takes time that grows with the square of a word's length, up to this one.
fn check_word_length(found: &Value, origin: &str) -> Result<()> {
    match found.as_u64() {
        Some(0..=MAX_INPUT_CHARS_PER_WORD) => Ok(()),
        None if found.is_null() => Ok(()),
        _ => Err(broken(
            origin,
            format!("max_input_chars_per_word is {found}, not a number up to {MAX_INPUT_CHARS_PER_WORD}"),
        )),
    }
}

fn expect(found: &Value, part: &'static str, supported: &'static str, origin: &str) -> Result<()> {
    if found.as_str() == Some(supported) {
        return Ok(());
    }
    let found = if found.is_null() { "missing".to_owned() } else { found.to_string() };
    Err(TextError::Unsupported { origin: origin.to_owned(), part, found, supported })
}

/// The ids of the model's vocabulary: each belongs to one token, and BERT's special tokens are there.
pub(crate) fn checked_vocabulary(content: &Value, origin: &str) -> Result<BTreeMap<String, u32>> {
    if !content["model"]["vocab"].is_object() {
        return Err(broken(origin, "it holds no model with a vocab".to_owned()));
    }
    let vocabulary = check_ids(&content["model"]["vocab"], origin)?;
    check_special_tokens(&vocabulary, origin)?;
    Ok(vocabulary)
}

fn check_ids(vocabulary: &Value, origin: &str) -> Result<BTreeMap<String, u32>> {
    let mut seen = BTreeSet::new();
    let mut ids = BTreeMap::new();
    for (token, id) in vocabulary.as_object().into_iter().flatten() {
        let id =
            id.as_u64().and_then(|id| u32::try_from(id).ok()).filter(|id| *id < MAX_VOCAB_SIZE).ok_or_else(
                || broken(origin, format!("the id of {token:?} is {id}, not one below {MAX_VOCAB_SIZE}")),
            )?;
        if !seen.insert(id) {
            return Err(broken(origin, format!("{token:?} and another token both have the id {id}")));
        }
        ids.insert(token.clone(), id);
    }
    Ok(ids)
}

fn check_special_tokens(vocabulary: &BTreeMap<String, u32>, origin: &str) -> Result<()> {
    let missing: Vec<_> =
        SPECIAL_TOKENS.into_iter().filter(|token| !vocabulary.contains_key(*token)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(TextError::MissingSpecialTokens { origin: origin.to_owned(), vocab_size: vocabulary.len(), missing })
}

/// `[CLS] A [SEP]`, for files that state none.
fn add_post_processor(content: &mut Value, vocabulary: &BTreeMap<String, u32>) {
    if !content["post_processor"].is_null() {
        return;
    }
    let special = |token: &str, type_id: u32| json!({"SpecialToken": {"id": token, "type_id": type_id}});
    let sequence = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    let with_id = |token: &str| json!({"id": token, "ids": [vocabulary[token]], "tokens": [token]});
    content["post_processor"] = json!({
        "type": "TemplateProcessing",
        "single": [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)],
        "pair": [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0), sequence("B", 1), special("[SEP]", 1)],
        "special_tokens": {"[CLS]": with_id("[CLS]"), "[SEP]": with_id("[SEP]")},
    });
}

/// What `build` returns; a panic inside the tokenizers crate is a file that it cannot read.
fn caught<T>(build: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("the tokenizers crate panicked: {}", message.unwrap_or("without a message")))
    })
}

fn build(content: Value) -> Result<tokenizers::Tokenizer, String> {
    let mut tokenizer: tokenizers::Tokenizer =
        serde_json::from_value(content).map_err(|error| error.to_string())?;
    let known = tokenizer.get_added_tokens_decoder();
    let unlisted = SPECIAL_TOKENS
        .into_iter()
        .filter(|token| !known.values().any(|added| added.content == *token))
        .map(|token| AddedToken::from(token, true));
    tokenizer.add_special_tokens(unlisted).map_err(|error| error.to_string())?;

    let expected = ["[CLS]", "[SEP]"].map(|token| tokenizer.token_to_id(token));
    let encoding = tokenizer.encode_fast("", true).map_err(|error| error.to_string())?;
    let found: Vec<_> = encoding.get_ids().iter().copied().map(Some).collect();
    if found != expected {
        return Err(format!("its post_processor gives an empty text the ids {found:?}, not [CLS] [SEP]"));
    }
    Ok(tokenizer)
}

/// The crate numbers added tokens itself, whatever the file says.
fn check_added_tokens(tokenizer: &tokenizers::Tokenizer, listed_tokens: &Value, origin: &str) -> Result<()> {
    for listed in listed_tokens.as_array().into_iter().flatten() {
        let (Some(content), Some(id)) = (listed["content"].as_str(), listed["id"].as_u64()) else { continue };
        let given = tokenizer.token_to_id(content).map(u64::from);
        if !content.is_empty() && given != Some(id) {
            let given = given.map_or("none".to_owned(), |id| id.to_string());
            return Err(broken(
                origin,
                format!("added token {content:?} says id {id}, but would get {given}"),
            ));
        }
    }
    Ok(())
}

fn broken(origin: &str, reason: String) -> TextError {
    TextError::Broken { origin: origin.to_owned(), reason }
}
