//! The special tokens of a loaded tokenizer by their keys in transformers, for padding and for saved files.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::added_tokens::NamedToken;
use crate::special_token_template::SpecialTokenTemplate;
use crate::{Result, TextError, tokenizer_json};

/// The special tokens of a `tokenizer.json`, before it is loaded.
pub(crate) struct FileTokens {
    unk: Option<String>,
    pad: Option<String>,
}

impl FileTokens {
    /// Reads the unknown token of the model, and the padding token.
    pub(crate) fn new(content: &Value) -> Self {
        Self {
            unk: tokenizer_json::unk_token(content).map(str::to_owned),
            pad: content["padding"]["pad_token"].as_str().map(str::to_owned),
        }
    }
}

/// Special tokens by key: `unk_token`, `sep_token`, `pad_token`, `cls_token`, and others that the files have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecialTokenRoles(BTreeMap<&'static str, String>);

impl SpecialTokenRoles {
    /// Returns the special tokens that the post-processor, the model and the files next to the vocabulary name.
    ///
    /// # Errors
    ///
    /// [`TextError::Unsupported`] if a file names another token than the post-processor or the model, and
    /// [`TextError::MissingSpecialTokens`] without a padding token.
    pub(crate) fn new(
        tokenizer: &tokenizers::Tokenizer,
        template: &SpecialTokenTemplate,
        file: FileTokens,
        named: &[NamedToken],
        origin: &str,
    ) -> Result<Self> {
        let first_of = |tokens: &[&str]| {
            let known = tokens.iter().find(|token| tokenizer.token_to_id(token).is_some());
            known.map(|token| token.to_string())
        };
        let of_file = |key: &str| named.iter().find(|named| named.key == key);
        let content = |key: &str| of_file(key).map(|named| named.token.content.clone());
        let mut roles = BTreeMap::new();
        let used = [
            ("cls_token", tokenizer.id_to_token(template.cls_id)),
            ("sep_token", tokenizer.id_to_token(template.sep_id)),
            ("unk_token", file.unk),
        ];
        for (key, token) in used {
            if let (Some(token), Some(named)) = (&token, of_file(key)) {
                check_named(named, token)?;
            }
            roles.extend(token.or_else(|| content(key)).map(|token| (key, token)));
        }
        let pad = content("pad_token").or(file.pad.filter(|pad| tokenizer.token_to_id(pad).is_some()));
        let others = [
            ("pad_token", pad.or_else(|| first_of(&["[PAD]", "<pad>"]))),
            ("mask_token", content("mask_token").or_else(|| first_of(&["[MASK]", "<mask>"]))),
            ("bos_token", content("bos_token")),
            ("eos_token", content("eos_token")),
        ];
        roles.extend(others.into_iter().filter_map(|(key, token)| Some((key, token?))));
        if roles.contains_key("pad_token") {
            return Ok(Self(roles));
        }
        Err(TextError::MissingSpecialTokens {
            origin: origin.to_owned(),
            vocab_size: tokenizer.get_vocab_size(true),
            missing: vec!["[PAD]".to_owned()],
        })
    }

    /// Returns the token of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Returns all keys with their tokens.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(key, token)| (*key, token.as_str()))
    }
}

fn check_named(named: &NamedToken, token: &str) -> Result<()> {
    if named.token.content == token {
        return Ok(());
    }
    Err(TextError::Unsupported {
        origin: named.origin.clone(),
        part: named.key.to_owned(),
        found: format!("{:?}", named.token.content),
        supported: token.to_owned(),
    })
}
