//! Checks and loads a `tokenizer.json`. Only this module passes files to the `tokenizers` crate, which can panic on
//! malicious files.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use tokenizers::AddedToken;

use crate::vocabulary::SPECIAL_TOKENS;
use crate::{Result, TextError};

/// Maximum vocabulary size. A file with more tokens is probably corrupt.
const MAX_VOCAB_SIZE: u32 = 1 << 24;

/// Maximum of `max_input_chars_per_word`. BERT models have 100.
const MAX_INPUT_CHARS_PER_WORD: u64 = 1000;

/// Keys of `tokenizer_config.json`, with the keys of the normalizer in `tokenizer.json`.
const NORMALIZER_KEYS: [(&str, &str); 3] = [
    ("do_lower_case", "lowercase"),
    ("strip_accents", "strip_accents"),
    ("tokenize_chinese_chars", "handle_chinese_chars"),
];

/// Returns the content of a `tokenizer.json` for an uncased BERT vocabulary.
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

/// Overrides settings of the normalizer with those of `tokenizer_config.json`, as transformers does.
pub(crate) fn apply_config(tokenizer: &mut Value, config: &Value, config_path: &str) -> Result<()> {
    for (key, normalizer_key) in NORMALIZER_KEYS {
        let Some(setting) = config.get(key) else { continue };
        let is_null = setting.is_null();
        if is_null && key != "strip_accents" {
            continue;
        }
        if !(setting.is_boolean() || is_null) {
            return Err(malformed(config_path, format!("{key} is {setting}, not true or false")));
        }
        if let Some(normalizer) = tokenizer.get_mut("normalizer").and_then(Value::as_object_mut) {
            normalizer.insert(normalizer_key.to_owned(), setting.clone());
        }
    }
    Ok(())
}

/// Builds the tokenizer of a `tokenizer.json`, without its truncation and padding.
///
/// Accepts only the components of BERT, because other model families have other components. `origin` is the file, for
/// errors.
pub(crate) fn load(mut content: Value, origin: &str) -> Result<tokenizers::Tokenizer> {
    check_parts(&content, origin)?;
    let listed_tokens = content["added_tokens"].clone();
    let fields = content.as_object_mut().ok_or_else(|| malformed(origin, "not a JSON object".to_owned()))?;
    for key in ["truncation", "padding"] {
        fields.remove(key);
    }
    fields.insert("decoder".to_owned(), json!({"type": "WordPiece", "prefix": "##", "cleanup": true}));
    let vocabulary = checked_vocabulary(&content, origin)?;
    add_post_processor(&mut content, &vocabulary);

    let tokenizer = catch_panics(|| build(content)).map_err(|reason| malformed(origin, reason))?;
    check_added_tokens(&tokenizer, &listed_tokens, origin)?;
    Ok(tokenizer)
}

fn check_parts(content: &Value, origin: &str) -> Result<()> {
    // Old files have no model type.
    if !content["model"]["type"].is_null() {
        expect(&content["model"]["type"], "model.type", "WordPiece", origin)?;
    }
    check_word_length(&content["model"]["max_input_chars_per_word"], origin)?;
    expect(&content["model"]["unk_token"], "model.unk_token", "[UNK]", origin)?;
    expect(&content["model"]["continuing_subword_prefix"], "model.continuing_subword_prefix", "##", origin)?;
    expect(&content["normalizer"]["type"], "normalizer.type", "BertNormalizer", origin)?;
    expect(&content["pre_tokenizer"]["type"], "pre_tokenizer.type", "BertPreTokenizer", origin)
}

/// Checks the maximum length of a word. The time of WordPiece grows with the square of the length.
fn check_word_length(found: &Value, origin: &str) -> Result<()> {
    match found.as_u64() {
        Some(0..=MAX_INPUT_CHARS_PER_WORD) => Ok(()),
        None if found.is_null() => Ok(()),
        _ => Err(malformed(
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

/// Returns the vocabulary of the model. Checks that ids are unique and that BERT's special tokens exist.
pub(crate) fn checked_vocabulary(content: &Value, origin: &str) -> Result<BTreeMap<String, u32>> {
    if !content["model"]["vocab"].is_object() {
        return Err(malformed(origin, "it has no model with a vocab".to_owned()));
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
                || {
                    malformed(
                        origin,
                        format!("the id of {token:?} is {id}, not an integer below {MAX_VOCAB_SIZE}"),
                    )
                },
            )?;
        if !seen.insert(id) {
            return Err(malformed(origin, format!("{token:?} and another token both have the id {id}")));
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

/// Adds the post-processor `[CLS] A [SEP]` to a file that has none.
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

/// Returns an error if `build` panics: the tokenizers crate panics on some malformed files.
fn catch_panics<T>(build: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
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

/// Returns the reason if the post-processor does not encode pairs as `[CLS] A [SEP] B [SEP]`. Single texts do not need it.
pub(crate) fn unsupported_pairs(tokenizer: &tokenizers::Tokenizer) -> Option<String> {
    catch_panics(|| check_pair_of_masks(tokenizer)).err()
}

fn check_pair_of_masks(tokenizer: &tokenizers::Tokenizer) -> Result<(), String> {
    let expected = ["[CLS]", "[MASK]", "[SEP]", "[MASK]", "[SEP]"].map(|token| tokenizer.token_to_id(token));
    let encoding = tokenizer.encode_fast(("[MASK]", "[MASK]"), true).map_err(|error| error.to_string())?;
    let (ids, types) = (encoding.get_ids(), encoding.get_type_ids());
    if ids.iter().copied().map(Some).eq(expected) && types == [0, 0, 0, 1, 1] {
        return Ok(());
    }
    Err(format!("the pair [MASK], [MASK] has the ids {ids:?} and the types {types:?}"))
}

/// Checks that added tokens have the ids of the file, because the tokenizers crate numbers them itself.
fn check_added_tokens(tokenizer: &tokenizers::Tokenizer, listed_tokens: &Value, origin: &str) -> Result<()> {
    for listed in listed_tokens.as_array().into_iter().flatten() {
        let (Some(content), Some(id)) = (listed["content"].as_str(), listed["id"].as_u64()) else { continue };
        let given = tokenizer.token_to_id(content).map(u64::from);
        if !content.is_empty() && given != Some(id) {
            let given = given.map_or("none".to_owned(), |id| id.to_string());
            return Err(malformed(
                origin,
                format!("added token {content:?} has id {id}, but must have {given}"),
            ));
        }
    }
    Ok(())
}

fn malformed(origin: &str, reason: String) -> TextError {
    TextError::Malformed { origin: origin.to_owned(), reason }
}
