//! Writes the files of a tokenizer, which `AutoTokenizer` of transformers opens.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::{Model, ModelWrapper, NormalizerWrapper};

use crate::tokenizer_class::{TokenizerClass, VocabularyFormat};
use crate::tokenizer_files::lacks_token_types;
use crate::{Result, TextError, Tokenizer, Truncation, added_tokens, vocabulary};

/// The class of transformers that follows a `tokenizer.json` completely.
const GENERIC_CLASS: &str = "PreTrainedTokenizerFast";

/// Writes the files into an existing directory and replaces existing files.
pub(crate) fn save(
    tokenizer: &Tokenizer,
    directory: &Path,
    tokenizer_class: &str,
    model_max_length: usize,
) -> Result<()> {
    let json = tokenizer.inner.to_string(true).expect("a tokenizer is plain data");
    let content: Value = serde_json::from_str(&json).expect("a tokenizer is JSON");
    let class =
        TokenizerClass::of_name(tokenizer_class).filter(|class| encodes_as(*class, tokenizer, &content));

    let added_tokens = added_tokens::by_id(&tokenizer.inner);
    let mut special_tokens: Map<_, _> =
        tokenizer.special_tokens.iter().map(|(key, token)| (key.to_owned(), Value::from(token))).collect();
    let with_key: Vec<_> = tokenizer.special_tokens.iter().map(|(_, token)| token).collect();
    let additional = added_tokens::additional_special_tokens(&added_tokens, &with_key);
    if !additional.is_empty() {
        special_tokens.insert("additional_special_tokens".to_owned(), json!(additional));
    }
    let decoder = added_tokens.iter().map(|(id, token)| (id.to_string(), added_tokens::without_id(token)));
    let mut config = special_tokens.clone();
    config.insert("added_tokens_decoder".to_owned(), decoder.collect());
    config.insert("model_max_length".to_owned(), json!(model_max_length));
    config.insert("truncation_side".to_owned(), json!(truncation_side(tokenizer.truncation())));
    config.insert("tokenizer_class".to_owned(), json!(class.map_or(GENERIC_CLASS, |_| tokenizer_class)));
    config.extend(class_settings(tokenizer, class, &content));

    write(directory, "tokenizer.json", &json)?;
    write(directory, "tokenizer_config.json", &pretty(config))?;
    write(directory, "special_tokens_map.json", &pretty(special_tokens))?;
    match class.map(TokenizerClass::format) {
        Some(VocabularyFormat::WordPiece) => {
            write(directory, "vocab.txt", &vocabulary::to_lines(&tokens_by_id(tokenizer)))?;
            write_added_tokens(tokenizer, directory)
        }
        Some(VocabularyFormat::ByteLevelBpe) => {
            write(directory, "vocab.json", &format!("{}\n", content["model"]["vocab"]))?;
            write(directory, "merges.txt", &merges(&content["model"]["merges"]))?;
            write_added_tokens(tokenizer, directory)
        }
        _ => Ok(()),
    }
}

/// Returns true if a class of transformers 5 encodes as the tokenizer. No class does for Unigram: each replaces the
/// normalizer of the file.
fn encodes_as(class: TokenizerClass, tokenizer: &Tokenizer, content: &Value) -> bool {
    let separators = tokenizer.template.pair.as_ref().map(|pair| pair.num_special_tokens() - 2);
    let same_pairs = separators.map_or(true, |separators| separators == class.separators());
    same_pairs
        && match (tokenizer.inner.get_model(), class.format()) {
            (ModelWrapper::WordPiece(_), VocabularyFormat::WordPiece) => true,
            (ModelWrapper::BPE(_), VocabularyFormat::ByteLevelBpe) => {
                is_roberta(content) && has_tokens_of(class, tokenizer)
            }
            _ => false,
        }
}

/// Returns true if the components are those of `RobertaTokenizer`.
fn is_roberta(content: &Value) -> bool {
    let model = &content["model"];
    let is_unset = |key: &str| matches!(&model[key], Value::Null | Value::Bool(false));
    let pre_tokenizer = &content["pre_tokenizer"];
    let is_byte_level = pre_tokenizer["type"] == "ByteLevel" && pre_tokenizer["use_regex"] == true;
    let flags = ["unk_token", "dropout", "fuse_unk", "byte_fallback", "ignore_merges"];
    content["normalizer"].is_null() && is_byte_level && flags.into_iter().all(is_unset)
}

/// Returns true if the tokenizer has the special tokens that the class adds otherwise.
fn has_tokens_of(class: TokenizerClass, tokenizer: &Tokenizer) -> bool {
    let known = |(key, token): &(&str, &str)| {
        let is_same = tokenizer.special_tokens.get(key).is_none_or(|found| found == *token);
        is_same && tokenizer.token_to_id(token).is_some()
    };
    class.special_tokens().iter().all(known)
}

/// Returns the keys of tokenizer_config.json that only some tokenizers have.
fn class_settings(
    tokenizer: &Tokenizer,
    class: Option<TokenizerClass>,
    content: &Value,
) -> Vec<(String, Value)> {
    let mut settings = vec![];
    if let Some(NormalizerWrapper::BertNormalizer(normalizer)) = tokenizer.inner.get_normalizer() {
        settings.push(("do_lower_case", json!(normalizer.lowercase)));
        settings.push(("strip_accents", json!(normalizer.strip_accents)));
        settings.push(("tokenize_chinese_chars", json!(normalizer.handle_chinese_chars)));
    }
    // Without the names, BertTokenizer has token types.
    if class.is_none() || lacks_token_types(&tokenizer.model_input_names) {
        settings.push(("model_input_names", model_input_names(tokenizer)));
    }
    if class == Some(TokenizerClass::Roberta) {
        settings.push(("add_prefix_space", content["pre_tokenizer"]["add_prefix_space"].clone()));
    }
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Returns the `model_input_names` of the files, or else token types only if pairs have two types.
fn model_input_names(tokenizer: &Tokenizer) -> Value {
    match &tokenizer.model_input_names {
        Value::Null if tokenizer.template.pair.as_ref().is_ok_and(|pair| pair.has_two_types()) => {
            json!(["input_ids", "token_type_ids", "attention_mask"])
        }
        Value::Null => json!(["input_ids", "attention_mask"]),
        names => names.clone(),
    }
}

fn tokens_by_id(tokenizer: &Tokenizer) -> BTreeMap<u32, String> {
    tokenizer.inner.get_model().get_vocab().into_iter().map(|(token, id)| (id, token)).collect()
}

/// Writes `added_tokens.json` if there are tokens that the vocabulary lacks.
fn write_added_tokens(tokenizer: &Tokenizer, directory: &Path) -> Result<()> {
    let tokens = tokens_by_id(tokenizer);
    let added_tokens = added_tokens::by_id(&tokenizer.inner);
    let new_tokens = added_tokens.iter().filter(|(id, _)| !tokens.contains_key(id));
    let new_tokens: Map<_, _> = new_tokens.map(|(id, token)| (token.content.clone(), json!(id))).collect();
    if new_tokens.is_empty() { Ok(()) } else { write(directory, "added_tokens.json", &pretty(new_tokens)) }
}

/// Formats merges as a `merges.txt`.
fn merges(merges: &Value) -> String {
    let mut lines = "#version: 0.2\n".to_owned();
    for merge in merges.as_array().into_iter().flatten() {
        let [left, right] = [0, 1].map(|index| merge[index].as_str().unwrap_or_default());
        writeln!(lines, "{left} {right}").expect("writing to a String does not fail");
    }
    lines
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
