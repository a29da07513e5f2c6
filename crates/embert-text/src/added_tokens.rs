//! Added tokens of a saved tokenizer, read from the same files and in the same order as transformers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use crate::json_file::read_json_if_exists;
use crate::{Result, TextError, tokenizer_json};

/// Keys with one special token each.
const SINGLE_TOKEN_KEYS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// Keys with a list of special tokens, in transformers 4 and in transformers 5.
const TOKEN_LIST_KEYS: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];

/// Adds the tokens in the files next to a vocabulary to the content of its `tokenizer.json`.
///
/// Keeps the ids of the files. A token without an id gets the next free id. Flags in `tokenizer_config.json` override
/// flags in `tokenizer.json`.
pub(crate) fn apply(content: &mut Value, config: &Value, named: &[NamedToken], path: &Path) -> Result<()> {
    let vocabulary = tokenizer_json::vocabulary(content, &path.display().to_string())?;
    let mut tokens = AddedTokens::default();
    tokens.add_list(&content["added_tokens"], path)?;
    match &config["added_tokens_decoder"] {
        Value::Null => tokens.add_ids(&path.with_file_name("added_tokens.json"), named)?,
        decoder => tokens.add_decoder(decoder, &path.with_file_name("tokenizer_config.json"))?,
    }
    for NamedToken { token, origin, .. } in named {
        if !tokens.index_by_content.contains_key(&token.content) {
            tokens.add(token.clone(), None, origin)?;
        }
    }
    content["added_tokens"] = tokens.into_json(&vocabulary)?;
    Ok(())
}

/// Returns the special tokens that the files next to a vocabulary name: `tokenizer_config.json`, and without an
/// `added_tokens_decoder` in it `special_tokens_map.json`.
pub(crate) fn named_tokens(config: &Value, path: &Path) -> Result<Vec<NamedToken>> {
    let mut named = special_tokens(config, &path.with_file_name("tokenizer_config.json"))?;
    if config["added_tokens_decoder"].is_null() {
        let map_path = path.with_file_name("special_tokens_map.json");
        named.extend(special_tokens(&read_json_if_exists(&map_path)?, &map_path)?);
    }
    Ok(named)
}

/// A special token with its key in transformers, such as `cls_token`, and its file.
pub(crate) struct NamedToken {
    pub(crate) key: &'static str,
    pub(crate) token: AddedToken,
    pub(crate) origin: String,
}

/// An added token with its id and its file.
struct Entry {
    token: AddedToken,
    id: Option<u64>,
    origin: String,
}

/// Added tokens in order of addition.
#[derive(Default)]
struct AddedTokens {
    list: Vec<Entry>,
    /// Indices in `list` by content.
    index_by_content: HashMap<String, usize>,
}

impl AddedTokens {
    /// Adds the list `added_tokens` of a `tokenizer.json`.
    fn add_list(&mut self, list: &Value, path: &Path) -> Result<()> {
        let origin = path.display().to_string();
        if !list.is_null() && !list.is_array() {
            return Err(malformed(&origin, "added_tokens is not a list".to_owned()));
        }
        for entry in list.as_array().into_iter().flatten() {
            let token = parse(entry, false, "added_tokens", &origin)?;
            self.add(token, Some(parse_id(&entry["id"], &origin)?), &origin)?;
        }
        Ok(())
    }

    /// Adds `added_tokens_decoder` of transformers 4: tokens by id.
    fn add_decoder(&mut self, decoder: &Value, path: &Path) -> Result<()> {
        let origin = path.display().to_string();
        let entries = object(decoder, "added_tokens_decoder", &origin)?;
        for (id, token) in entries {
            let not_a_number =
                || malformed(&origin, format!("added_tokens_decoder has the id {id:?}, not a number"));
            let id = id.parse::<u64>().map_err(|_| not_a_number())?;
            self.add(parse(token, false, "added_tokens_decoder", &origin)?, Some(id), &origin)?;
        }
        Ok(())
    }

    /// Adds `added_tokens.json`, if it exists: ids by token.
    fn add_ids(&mut self, path: &Path, special: &[NamedToken]) -> Result<()> {
        let origin = path.display().to_string();
        let file = read_json_if_exists(path)?;
        if file.is_null() {
            return Ok(());
        }
        for (content, id) in object(&file, "the file", &origin)? {
            let is_special = special.iter().any(|special| special.token.content == *content);
            let token = match self.index_by_content.get(content) {
                Some(&index) => self.list[index].token.clone(),
                None => AddedToken::from(content, is_special),
            };
            self.add(token, Some(parse_id(id, &origin)?), &origin)?;
        }
        Ok(())
    }

    fn add(&mut self, token: AddedToken, id: Option<u64>, origin: &str) -> Result<()> {
        let content = token.content.clone();
        if content.is_empty() {
            return Err(malformed(origin, "an added token is empty".to_owned()));
        }
        let index = *self.index_by_content.entry(content.clone()).or_insert(self.list.len());
        let Some(known) = self.list.get_mut(index) else {
            self.list.push(Entry { token, id, origin: origin.to_owned() });
            return Ok(());
        };
        if known.id != id {
            let [found, other] = [id, known.id].map(|id| id.unwrap_or_default());
            let reason =
                format!("added token {content:?} has id {found}, and {other} according to {}", known.origin);
            return Err(malformed(origin, reason));
        }
        *known = Entry { token, id, origin: origin.to_owned() };
        Ok(())
    }

    /// Returns the tokens sorted by id, in the format of `tokenizer.json`.
    ///
    /// The tokenizers crate numbers new tokens itself, starting at the size of the vocabulary. Other ids are an error.
    fn into_json(mut self, vocabulary: &BTreeMap<String, u32>) -> Result<Value> {
        let by_id: HashMap<u64, &String> =
            vocabulary.iter().map(|(token, id)| (u64::from(*id), token)).collect();
        let known_id = |entry: &Entry| vocabulary.get(&entry.token.content).copied().map(u64::from);
        self.list.sort_by_key(|entry| (entry.id.is_none(), entry.id));
        let mut next_id = vocabulary.len() as u64;
        let mut list = vec![];
        for entry in self.list {
            let id = known_id(&entry).unwrap_or(next_id);
            check_id(&entry, id, by_id.get(&id).copied())?;
            if known_id(&entry).is_none() {
                next_id += 1;
            }
            list.push(with_id(&entry.token, id));
        }
        Ok(Value::Array(list))
    }
}

/// Returns an error if the id in the file differs from the id that the token gets, or if another token has that id.
fn check_id(entry: &Entry, id: u64, owner: Option<&String>) -> Result<()> {
    let content = &entry.token.content;
    let id_in_file = entry.id.unwrap_or(id);
    if id_in_file != id {
        let reason = format!(
            "added token {content:?} has id {id_in_file}, but must have {id}: ids of added tokens follow the \
             vocabulary without a gap"
        );
        return Err(malformed(&entry.origin, reason));
    }
    match owner.filter(|owner| *owner != content) {
        Some(owner) => {
            let reason = format!("added token {content:?} would get id {id}, but {owner:?} has it");
            Err(malformed(&entry.origin, reason))
        }
        None => Ok(()),
    }
}

/// Returns the special tokens of `tokenizer_config.json` or `special_tokens_map.json`.
fn special_tokens(file: &Value, path: &Path) -> Result<Vec<NamedToken>> {
    let origin = path.display().to_string();
    if !file.is_null() {
        object(file, "the file", &origin)?;
    }
    let single = SINGLE_TOKEN_KEYS.iter().map(|key| (*key, &file[*key]));
    let lists = TOKEN_LIST_KEYS.iter().flat_map(|key| values(&file[*key]).map(|value| (*key, value)));
    let mut tokens = vec![];
    for (key, value) in single.chain(lists).filter(|(_, value)| !value.is_null()) {
        let token = match value {
            Value::String(content) => AddedToken::from(content, true),
            value => parse(value, true, key, &origin)?.special(true),
        };
        tokens.push(NamedToken { key, token, origin: origin.clone() });
    }
    Ok(tokens)
}

/// Returns the tokens of a list, or of an object of tokens by name (transformers 5).
fn values(tokens: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match tokens {
        Value::Array(tokens) => Box::new(tokens.iter()),
        Value::Object(tokens) => Box::new(tokens.values()),
        other => Box::new(std::iter::once(other)),
    }
}

/// Parses an object with `content` and flags. A missing flag has the default of the tokenizers crate.
fn parse(token: &Value, is_special: bool, key: &str, origin: &str) -> Result<AddedToken> {
    let Some(content) = token["content"].as_str().filter(|content| !content.is_empty()) else {
        return Err(malformed(origin, format!("{key} has {token}, not a token with its content")));
    };
    let flag = |name: &str, default: bool| match &token[name] {
        Value::Null => Ok(default),
        Value::Bool(flag) => Ok(*flag),
        other => {
            Err(malformed(origin, format!("{key}: {name} of {content:?} is {other}, not true or false")))
        }
    };
    let special = flag("special", is_special)?;
    Ok(AddedToken::from(content, special)
        .single_word(flag("single_word", false)?)
        .lstrip(flag("lstrip", false)?)
        .rstrip(flag("rstrip", false)?)
        .normalized(flag("normalized", !special)?))
}

/// Returns the content and the flags of a token, in the format of `added_tokens_decoder`.
pub(crate) fn without_id(token: &AddedToken) -> Value {
    json!({
        "content": token.content,
        "single_word": token.single_word,
        "lstrip": token.lstrip,
        "rstrip": token.rstrip,
        "normalized": token.normalized,
        "special": token.special,
    })
}

/// Returns a token in the format of `added_tokens` in `tokenizer.json`.
pub(crate) fn with_id(token: &AddedToken, id: u64) -> Value {
    let mut json = without_id(token);
    json["id"] = id.into();
    json
}

/// Returns the added tokens of a tokenizer by id.
pub(crate) fn by_id(tokenizer: &tokenizers::Tokenizer) -> BTreeMap<u32, AddedToken> {
    tokenizer.get_added_tokens_decoder().iter().map(|(id, token)| (*id, token.clone())).collect()
}

/// Returns the special tokens without a key.
pub(crate) fn additional_special_tokens<'a>(
    tokens: &'a BTreeMap<u32, AddedToken>,
    with_key: &[&str],
) -> Vec<&'a str> {
    let special = tokens.values().filter(|token| token.special).map(|token| token.content.as_str());
    special.filter(|token| !with_key.contains(token)).collect()
}

fn parse_id(id: &Value, origin: &str) -> Result<u64> {
    id.as_u64().ok_or_else(|| malformed(origin, format!("an added token has the id {id}")))
}

fn object<'a>(value: &'a Value, what: &str, origin: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| malformed(origin, format!("{what} is not a JSON object")))
}

fn malformed(origin: &str, reason: String) -> TextError {
    TextError::Malformed { origin: origin.to_owned(), reason }
}
