//! The special tokens of a tokenizer class, by their keys in transformers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokenizers::AddedToken;

use crate::added_tokens::{self, NamedToken};
use crate::tokenizer_class::TokenizerClass;
use crate::{Result, TextError};

/// Special tokens by key: `cls_token`, `sep_token`, `pad_token` and so on.
pub(crate) struct SpecialTokens {
    tokens: Vec<(&'static str, AddedToken)>,
    /// True if a missing mask token is added to the vocabulary.
    adds_mask: bool,
}

impl SpecialTokens {
    /// Returns the special tokens of a class. Tokens in `named`, from the files next to the vocabulary, replace them.
    pub(crate) fn new(class: TokenizerClass, named: &[NamedToken]) -> Self {
        let token = |(key, content): (&'static str, &'static str)| {
            let of_class =
                || AddedToken::from(content, true).lstrip(key == "mask_token" && class.mask_strips_left());
            let named = named.iter().find(|named| named.key == key).map(|named| named.token.clone());
            (key, named.unwrap_or_else(of_class))
        };
        let tokens = class.special_tokens().into_iter().map(token).collect();
        Self { tokens, adds_mask: !matches!(class, TokenizerClass::Bert | TokenizerClass::MPNet) }
    }

    /// Returns the token of a key of the class.
    pub(crate) fn content(&self, key: &str) -> &str {
        let token = self.tokens.iter().find(|(known, _)| *known == key);
        &token.expect("each class has the tokens that its pipeline needs").1.content
    }

    /// Returns true if one of the tokens has this content.
    pub(crate) fn contains(&self, content: &str) -> bool {
        self.tokens.iter().any(|(_, token)| token.content == content)
    }

    /// Returns the token of a key and its id.
    ///
    /// # Errors
    ///
    /// [`TextError::MissingSpecialTokens`], with all missing tokens, if the vocabulary lacks one.
    pub(crate) fn with_id(
        &self,
        key: &str,
        vocabulary: &BTreeMap<String, u32>,
        origin: &str,
    ) -> Result<(String, u32)> {
        let is_missing = |(key, token): &&(&str, AddedToken)| {
            !(vocabulary.contains_key(&token.content) || self.adds_mask && *key == "mask_token")
        };
        let mut missing: Vec<String> = vec![];
        for (_, token) in self.tokens.iter().filter(is_missing) {
            if !missing.contains(&token.content) {
                missing.push(token.content.clone());
            }
        }
        if !missing.is_empty() {
            return Err(TextError::MissingSpecialTokens {
                origin: origin.to_owned(),
                vocab_size: vocabulary.len(),
                missing,
            });
        }
        let content = self.content(key);
        Ok((content.to_owned(), vocabulary[content]))
    }

    /// Returns the tokens in the format of `added_tokens` in `tokenizer.json`. A missing mask token gets the next id.
    pub(crate) fn added(&self, vocabulary: &BTreeMap<String, u32>) -> Vec<Value> {
        let mut list: Vec<Value> = vec![];
        for (_, token) in &self.tokens {
            let id = vocabulary.get(&token.content).copied().unwrap_or(vocabulary.len() as u32);
            if !list.iter().any(|known| known["content"] == json!(token.content)) {
                list.push(added_tokens::with_id(token, u64::from(id)));
            }
        }
        list
    }
}
