//! Added tokens: those of `tokenizer_config.json`, `added_tokens.json` and `special_tokens_map.json`, as transformers reads them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Map, Value, json};
use tokenizers::AddedToken;

use crate::json_file::read_json_if_there;
use crate::vocabulary::SPECIAL_TOKENS;
use crate::{Result, TextError, tokenizer_json};

/// The keys of special tokens that are one token each.
const NAMED: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
/// The keys of further special tokens: transformers 4's, then transformers 5's.
const LISTED: [&str; 2] = ["additional_special_tokens", "extra_special_tokens"];
/// What the encoder puts around and into texts must have BERT's names.
const REQUIRED: [(&str, &str); 3] = [("unk_token", "[UNK]"), ("cls_token", "[CLS]"), ("sep_token", "[SEP]")];

/// Adds the tokens that the files next to a vocabulary state to the content of its `tokenizer.json`.
///
/// The ids in the files are kept; a token without an id gets the next one. Flags in `tokenizer_config.json` override
/// those in `tokenizer.json`.
pub(crate) fn apply(content: &mut Value, config: &Value, path: &Path) -> Result<()> {
    let vocabulary = tokenizer_json::checked_vocabulary(content, &path.display().to_string())?;
    let mut tokens = Tokens::default();
    tokens.add_listed(&content["added_tokens"], path)?;
    let config_path = path.with_file_name("tokenizer_config.json");
    let mut special = special_tokens(config, &config_path)?;
    match &config["added_tokens_decoder"] {
        Value::Null => {
            let map_path = path.with_file_name("special_tokens_map.json");
            special.extend(special_tokens(&read_json_if_there(&map_path)?, &map_path)?);
            tokens.add_numbered(&path.with_file_name("added_tokens.json"), &special)?;
        }
        decoder => tokens.add_decoder(decoder, &config_path)?,
    }
    for Stated { token, origin } in special {
        if !tokens.places.contains_key(&token.content) {
            tokens.add(token, None, &origin)?;
        }
    }
    content["added_tokens"] = tokens.numbered(&vocabulary)?;
    Ok(())
}

/// A special token and the file that states it.
struct Stated {
    token: AddedToken,
    origin: String,
}

struct Token {
    token: AddedToken,
    id: Option<u64>,
    origin: String,
}

/// Added tokens in order of addition.
#[derive(Default)]
struct Tokens {
    list: Vec<Token>,
    /// Indices in `list` by content.
    places: HashMap<String, usize>,
}

impl Tokens {
    /// The `added_tokens` of a `tokenizer.json`.
    fn add_listed(&mut self, listed: &Value, path: &Path) -> Result<()> {
        let origin = path.display().to_string();
        if !listed.is_null() && !listed.is_array() {
            return Err(broken(&origin, "added_tokens is not a list".to_owned()));
        }
        for listed in listed.as_array().into_iter().flatten() {
            let token = parse(listed, false, "added_tokens", &origin)?;
            self.add(token, Some(id_of(&listed["id"], &origin)?), &origin)?;
        }
        Ok(())
    }

    /// transformers 4's `added_tokens_decoder`: tokens by id.
    fn add_decoder(&mut self, decoder: &Value, path: &Path) -> Result<()> {
        let origin = path.display().to_string();
        let entries = object(decoder, "added_tokens_decoder", &origin)?;
        for (id, token) in entries {
            let wrong = || broken(&origin, format!("added_tokens_decoder has the id {id:?}, not a number"));
            let id = id.parse::<u64>().map_err(|_| wrong())?;
            self.add(parse(token, false, "added_tokens_decoder", &origin)?, Some(id), &origin)?;
        }
        Ok(())
    }

    /// `added_tokens.json`: ids by token, where it exists.
    fn add_numbered(&mut self, path: &Path, special: &[Stated]) -> Result<()> {
        let origin = path.display().to_string();
        let file = read_json_if_there(path)?;
        if file.is_null() {
            return Ok(());
        }
        for (content, id) in object(&file, "the file", &origin)? {
            let is_special = special.iter().any(|special| special.token.content == *content);
            let token = match self.places.get(content) {
                Some(&place) => self.list[place].token.clone(),
                None => AddedToken::from(content, is_special),
            };
            self.add(token, Some(id_of(id, &origin)?), &origin)?;
        }
        Ok(())
    }

    fn add(&mut self, token: AddedToken, id: Option<u64>, origin: &str) -> Result<()> {
        let content = token.content.clone();
        if content.is_empty() {
            return Err(broken(origin, "an added token is empty".to_owned()));
        }
        let place = *self.places.entry(content.clone()).or_insert(self.list.len());
        let Some(known) = self.list.get_mut(place) else {
            self.list.push(Token { token, id, origin: origin.to_owned() });
            return Ok(());
        };
        if known.id != id {
            let [found, other] = [id, known.id].map(|id| id.unwrap_or_default());
            let reason =
                format!("added token {content:?} has id {found}, and {other} according to {}", known.origin);
            return Err(broken(origin, reason));
        }
        *known = Token { token, id, origin: origin.to_owned() };
        Ok(())
    }

    /// The tokens by id, as `tokenizer.json` lists them. The tokenizers crate numbers new tokens itself, from the size
    /// of the vocabulary on, so only these ids can be kept.
    fn numbered(mut self, vocabulary: &BTreeMap<String, u32>) -> Result<Value> {
        let by_id: HashMap<u64, &String> =
            vocabulary.iter().map(|(token, id)| (u64::from(*id), token)).collect();
        let known = |token: &Token| vocabulary.get(&token.token.content).copied().map(u64::from);
        self.list.sort_by_key(|token| (token.id.is_none(), token.id));
        let mut next = vocabulary.len() as u64;
        let mut listed = vec![];
        for token in self.list {
            let given = known(&token).unwrap_or(next);
            check_id(&token, given, by_id.get(&given).copied())?;
            if known(&token).is_none() {
                next += 1;
            }
            listed.push(to_json(&token.token, given));
        }
        Ok(Value::Array(listed))
    }
}

/// Refuses an id that the token cannot get, and one that another token has.
fn check_id(token: &Token, given: u64, owner: Option<&String>) -> Result<()> {
    let content = &token.token.content;
    let stated = token.id.unwrap_or(given);
    if stated != given {
        let reason = format!(
            "added token {content:?} says id {stated}, but would get {given}: ids of added tokens follow \
             the vocabulary without a gap"
        );
        return Err(broken(&token.origin, reason));
    }
    match owner.filter(|owner| *owner != content) {
        Some(owner) => {
            let reason = format!("added token {content:?} would get id {given}, which {owner:?} has");
            Err(broken(&token.origin, reason))
        }
        None => Ok(()),
    }
}

/// The special tokens under the keys of a config or of `special_tokens_map.json`.
fn special_tokens(file: &Value, path: &Path) -> Result<Vec<Stated>> {
    let origin = path.display().to_string();
    if !file.is_null() {
        object(file, "the file", &origin)?;
    }
    let named = NAMED.iter().map(|key| (*key, &file[*key]));
    let listed = LISTED.iter().flat_map(|key| values(&file[*key]).map(|value| (*key, value)));
    let mut tokens = vec![];
    for (key, value) in named.chain(listed).filter(|(_, value)| !value.is_null()) {
        let token = match value {
            Value::String(content) => AddedToken::from(content, true),
            value => parse(value, true, key, &origin)?.special(true),
        };
        check_required(key, &token, &origin)?;
        tokens.push(Stated { token, origin: origin.clone() });
    }
    Ok(tokens)
}

fn check_required(key: &str, token: &AddedToken, origin: &str) -> Result<()> {
    match REQUIRED.into_iter().find(|(required, content)| *required == key && token.content != *content) {
        None => Ok(()),
        Some((part, supported)) => Err(TextError::Unsupported {
            origin: origin.to_owned(),
            part,
            found: format!("{:?}", token.content),
            supported,
        }),
    }
}

/// The tokens of a list, or of transformers 5's object of tokens by name.
fn values(listed: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match listed {
        Value::Array(tokens) => Box::new(tokens.iter()),
        Value::Object(tokens) => Box::new(tokens.values()),
        other => Box::new(std::iter::once(other)),
    }
}

/// An object with `content` and flags; a flag that is missing has the value that the tokenizers library gives it.
fn parse(token: &Value, is_special: bool, key: &str, origin: &str) -> Result<AddedToken> {
    let Some(content) = token["content"].as_str().filter(|content| !content.is_empty()) else {
        return Err(broken(origin, format!("{key} has {token}, not a token with its content")));
    };
    let flag = |name: &str, default: bool| match &token[name] {
        Value::Null => Ok(default),
        Value::Bool(flag) => Ok(*flag),
        other => Err(broken(origin, format!("{key}: {name} of {content:?} is {other}, not true or false"))),
    };
    let special = flag("special", is_special)?;
    Ok(AddedToken::from(content, special)
        .single_word(flag("single_word", false)?)
        .lstrip(flag("lstrip", false)?)
        .rstrip(flag("rstrip", false)?)
        .normalized(flag("normalized", !special)?))
}

/// The flags and the content of a token, as `added_tokens_decoder` holds them.
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

fn to_json(token: &AddedToken, id: u64) -> Value {
    let mut json = without_id(token);
    json["id"] = id.into();
    json
}

/// Added tokens of a tokenizer by id.
pub(crate) fn by_id(tokenizer: &tokenizers::Tokenizer) -> BTreeMap<u32, AddedToken> {
    tokenizer.get_added_tokens_decoder().iter().map(|(id, token)| (*id, token.clone())).collect()
}

/// The content of special tokens that are not BERT's five.
pub(crate) fn additional_special_tokens(tokens: &BTreeMap<u32, AddedToken>) -> Vec<&str> {
    let special = tokens.values().filter(|token| token.special).map(|token| token.content.as_str());
    special.filter(|token| !SPECIAL_TOKENS.contains(token)).collect()
}

fn id_of(id: &Value, origin: &str) -> Result<u64> {
    id.as_u64().ok_or_else(|| broken(origin, format!("an added token has the id {id}")))
}

fn object<'a>(value: &'a Value, what: &str, origin: &str) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| broken(origin, format!("{what} is not a JSON object")))
}

fn broken(origin: &str, reason: String) -> TextError {
    TextError::Broken { origin: origin.to_owned(), reason }
}
