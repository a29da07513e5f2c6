//! Checks and loads a `tokenizer.json`. Only this module passes files to the `tokenizers` crate, which can panic on
//! malicious files.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use tokenizers::{AddedToken, ModelWrapper};

use crate::special_token_template::{PairTemplate, SpecialTokenTemplate};
use crate::tokenizer_class::BERT_TOKENS;
use crate::{Result, TextError, components};

/// Maximum vocabulary size. A file with more tokens is probably corrupt.
const MAX_VOCAB_SIZE: u32 = 1 << 24;

/// Keys of `tokenizer_config.json`, with the keys of the normalizer in `tokenizer.json`.
const NORMALIZER_KEYS: [(&str, &str); 3] = [
    ("do_lower_case", "lowercase"),
    ("strip_accents", "strip_accents"),
    ("tokenize_chinese_chars", "handle_chinese_chars"),
];

/// Overrides settings of BERT's normalizer with those of `tokenizer_config.json`, as transformers does.
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
        if tokenizer["normalizer"]["type"] == "BertNormalizer" {
            tokenizer["normalizer"][normalizer_key] = setting.clone();
        }
    }
    Ok(())
}

/// Builds the tokenizer of a `tokenizer.json`, without its truncation and padding, and the template of special tokens.
///
/// Accepts only the components that [`components`] lists. `origin` is the file, for errors.
pub(crate) fn load(
    mut content: Value,
    origin: &str,
) -> Result<(tokenizers::Tokenizer, SpecialTokenTemplate)> {
    components::check(&content, origin)?;
    let listed_tokens = content["added_tokens"].clone();
    let fields = content.as_object_mut().ok_or_else(|| malformed(origin, "not a JSON object".to_owned()))?;
    for key in ["truncation", "padding"] {
        fields.remove(key);
    }
    if content["model"]["type"] == "WordPiece" {
        content["decoder"] = json!({"type": "WordPiece", "prefix": "##", "cleanup": true});
    }
    check_unk_token(&content, &vocabulary(&content, origin)?, origin)?;

    let loaded = catch_panics(|| build(content)).map_err(|reason| malformed(origin, reason))?;
    check_added_tokens(&loaded.0, &listed_tokens, origin)?;
    Ok(loaded)
}

/// Checks the type of the content, and sets the type of a model without a type.
pub(crate) fn check_model(content: &mut Value, origin: &str) -> Result<()> {
    if !(content["model"]["vocab"].is_object() || content["model"]["vocab"].is_array()) {
        return Err(malformed(origin, "it has no model with a vocab".to_owned()));
    }
    content["model"]["type"] = components::model_type(content);
    Ok(())
}

/// Returns the vocabulary of the model. Checks that ids are unique.
pub(crate) fn vocabulary(content: &Value, origin: &str) -> Result<BTreeMap<String, u32>> {
    match &content["model"]["vocab"] {
        Value::Array(pieces) => pieces_by_text(pieces, origin),
        vocab => ids(vocab, origin),
    }
}

/// Returns the ids of the pieces of Unigram. The last of duplicate pieces counts, as in the tokenizers crate.
fn pieces_by_text(pieces: &[Value], origin: &str) -> Result<BTreeMap<String, u32>> {
    let id = |(piece, id): (&Value, u32)| match (piece[0].as_str(), piece[1].as_f64()) {
        (Some(text), Some(_)) => Ok((text.to_owned(), id)),
        _ => Err(malformed(origin, format!("token {id} is {piece:.80}, not a text and a score"))),
    };
    pieces.iter().zip(0..MAX_VOCAB_SIZE).map(id).collect()
}

/// Returns the ids of an object of tokens. Checks that they are unique.
pub(crate) fn ids(vocabulary: &Value, origin: &str) -> Result<BTreeMap<String, u32>> {
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

/// Returns the unknown token of the model, which texts get for characters without a token.
pub(crate) fn unk_token(content: &Value) -> Option<&str> {
    let model = &content["model"];
    match model["unk_id"].as_u64() {
        Some(id) => model["vocab"][usize::try_from(id).ok()?][0].as_str(),
        None => model["unk_token"].as_str(),
    }
}

/// Checks that the vocabulary has the unknown token. Byte-level BPE needs none.
fn check_unk_token(content: &Value, vocabulary: &BTreeMap<String, u32>, origin: &str) -> Result<()> {
    match unk_token(content) {
        Some(token) if !vocabulary.contains_key(token) => Err(TextError::MissingSpecialTokens {
            origin: origin.to_owned(),
            vocab_size: vocabulary.len(),
            missing: vec![token.to_owned()],
        }),
        None if content["model"]["type"] != "BPE" => {
            Err(malformed(origin, "its model has no unknown token (unk_token or unk_id)".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Returns an error if `build` panics: the tokenizers crate panics on some malformed files.
fn catch_panics<T>(build: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!("the tokenizers crate panicked: {}", message.unwrap_or("without a message")))
    })
}

fn build(content: Value) -> Result<(tokenizers::Tokenizer, SpecialTokenTemplate), String> {
    let mut tokenizer: tokenizers::Tokenizer =
        serde_json::from_value(content).map_err(|error| error.to_string())?;
    let template = SpecialTokenTemplate::new(&tokenizer)?;
    if matches!(tokenizer.get_model(), ModelWrapper::WordPiece(_)) {
        add_unlisted_tokens(&mut tokenizer, &template)?;
    }
    let pair = catch_panics(|| PairTemplate::new(&tokenizer));
    tokenizer.encode_fast("", true).map_err(|error| error.to_string())?;
    Ok((tokenizer, template.with_pair(pair)))
}

/// Makes BERT's tokens special if the file does not list them, as `BertTokenizer` does.
fn add_unlisted_tokens(
    tokenizer: &mut tokenizers::Tokenizer,
    template: &SpecialTokenTemplate,
) -> Result<(), String> {
    if tokenizer.token_to_id("[CLS]") != Some(template.cls_id) {
        return Ok(());
    }
    let known = tokenizer.get_added_tokens_decoder();
    let unlisted: Vec<_> = BERT_TOKENS
        .into_iter()
        .map(|(_, token)| token)
        .filter(|token| tokenizer.token_to_id(token).is_some_and(|id| !known.contains_key(&id)))
        .map(|token| AddedToken::from(token, true))
        .collect();
    tokenizer.add_special_tokens(unlisted).map(drop).map_err(|error| error.to_string())
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
