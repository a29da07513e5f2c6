//! The special tokens around texts: `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, or RoBERTa's `<s> A </s></s> B </s>`.
//!
//! They come from the post-processor, which encodes a text and a pair of placeholders.

use serde_json::{Value, json};
use tokenizers::{Encoding, Token};

/// The placeholders of both texts. No token has these ids.
const TEXTS: [u32; 2] = [u32::MAX, u32::MAX - 1];

/// The special tokens around a text, and around the texts of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecialTokenTemplate {
    /// The id of the token before a text.
    pub(crate) cls_id: u32,
    /// The id of the token after a text.
    pub(crate) sep_id: u32,
    /// The special tokens of a pair, or the reason if pairs are not supported.
    pub(crate) pair: Result<PairTemplate, String>,
}

/// The special tokens around the texts of a pair: one before, one or two between, and one after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PairTemplate {
    first: u32,
    between: Vec<u32>,
    last: u32,
    /// The number of parts with token type 0. The parts are the special tokens and the two texts.
    num_first_segment_parts: usize,
}

impl SpecialTokenTemplate {
    /// Returns the template of a post-processor. Fails if a single text does not get one token before and one after it.
    ///
    /// The tokenizers crate panics on some malformed post-processors, so call this in `catch_unwind`.
    pub(crate) fn new(tokenizer: &tokenizers::Tokenizer) -> Result<Self, String> {
        let parts = encode(tokenizer, false)?;
        match parts[..] {
            [(cls_id, 0), (text, 0), (sep_id, 0)]
                if text == TEXTS[0] && ![cls_id, sep_id].contains(&TEXTS[0]) =>
            {
                Ok(Self { cls_id, sep_id, pair: Err(String::new()) })
            }
            _ => Err(format!(
                "its post_processor gives a text A the tokens {}, not one token before A and one after it, with type 0",
                describe(tokenizer, &parts)
            )),
        }
    }

    /// Sets the template of pairs.
    pub(crate) fn with_pair(self, pair: Result<PairTemplate, String>) -> Self {
        Self { pair, ..self }
    }

    /// Gives token type 0 to all tokens.
    pub(crate) fn with_one_type(self) -> Self {
        let pair = self.pair.map(|pair| PairTemplate { num_first_segment_parts: pair.num_parts(), ..pair });
        Self { pair, ..self }
    }
}

impl PairTemplate {
    /// Returns the template of a post-processor. Call it in `catch_unwind`, as for single texts.
    pub(crate) fn new(tokenizer: &tokenizers::Tokenizer) -> Result<Self, String> {
        let parts = encode(tokenizer, true)?;
        let (ids, types): (Vec<_>, Vec<_>) = parts.iter().copied().unzip();
        let num_first_segment_parts = types.iter().take_while(|type_id| **type_id == 0).count();
        let types_are_valid = types[num_first_segment_parts..].iter().all(|type_id| *type_id == 1);
        let between = match &ids[..] {
            [_, first, between @ .., second, _] if [*first, *second] == TEXTS => between,
            _ => &[],
        };
        let is_special = |id: &u32| !TEXTS.contains(id);
        if types_are_valid
            && matches!(between.len(), 1 | 2)
            && ids.iter().filter(|id| is_special(id)).count() == between.len() + 2
        {
            let (first, last) = (ids[0], ids[ids.len() - 1]);
            return Ok(Self { first, between: between.to_vec(), last, num_first_segment_parts });
        }
        Err(format!(
            "a pair of texts A and B has the tokens {} and the types {types:?}",
            describe(tokenizer, &parts)
        ))
    }

    /// Returns the number of special tokens: 3 for BERT, 4 for RoBERTa.
    pub(crate) fn num_special_tokens(&self) -> usize {
        self.between.len() + 2
    }

    /// Returns true if some tokens of a pair have type 1.
    pub(crate) fn has_two_types(&self) -> bool {
        self.num_first_segment_parts < self.num_parts()
    }

    fn num_parts(&self) -> usize {
        self.between.len() + 4
    }

    /// Returns the ids of a pair, and the number of its first ids that have token type 0.
    pub(crate) fn apply(&self, [first, second]: [&[u32]; 2]) -> (Vec<u32>, usize) {
        let ids = [&[self.first], first, &self.between[..], second, &[self.last]].concat();
        let between = self.between.iter().map(|_| 1);
        let lengths = [1, first.len()].into_iter().chain(between).chain([second.len(), 1]);
        (ids, lengths.take(self.num_first_segment_parts).sum())
    }
}

/// Returns the component of a `tokenizer.json` with `separators` tokens `sep` between two texts.
pub(crate) fn component(
    cls: &(String, u32),
    sep: &(String, u32),
    separators: usize,
    pair_type: u32,
) -> Value {
    let special =
        |(token, _): &(String, u32), type_id: u32| json!({"SpecialToken": {"id": token, "type_id": type_id}});
    let sequence = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    let with_id =
        |(token, id): &(String, u32)| (token.clone(), json!({"id": token, "ids": [id], "tokens": [token]}));
    let single = vec![special(cls, 0), sequence("A", 0), special(sep, 0)];
    let mut pair = vec![special(cls, 0), sequence("A", 0)];
    pair.extend((0..separators).map(|_| special(sep, 0)));
    pair.extend([sequence("B", pair_type), special(sep, pair_type)]);
    let special_tokens: serde_json::Map<_, _> = [cls, sep].into_iter().map(with_id).collect();
    json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special_tokens})
}

/// Encodes one or two placeholders. Returns ids and types.
fn encode(tokenizer: &tokenizers::Tokenizer, pair: bool) -> Result<Vec<(u32, u32)>, String> {
    let text = |index: usize| {
        Encoding::from_tokens(vec![Token::new(TEXTS[index], "A".to_owned(), (0, 1))], index as u32)
    };
    let encoding =
        tokenizer.post_process(text(0), pair.then(|| text(1)), true).map_err(|error| error.to_string())?;
    for (id, token) in encoding.get_ids().iter().zip(encoding.get_tokens()) {
        if !TEXTS.contains(id) && tokenizer.token_to_id(token) != Some(*id) {
            return Err(format!(
                "its post_processor gives the token {token:?} the id {id}, which it does not have"
            ));
        }
    }
    Ok(encoding.get_ids().iter().copied().zip(encoding.get_type_ids().iter().copied()).collect())
}

/// Names the tokens of an encoding for an error, at most 8.
fn describe(tokenizer: &tokenizers::Tokenizer, parts: &[(u32, u32)]) -> String {
    let name = |(id, _): &(u32, u32)| match TEXTS.iter().position(|text| text == id) {
        Some(0) => "A".to_owned(),
        Some(_) => "B".to_owned(),
        None => tokenizer.id_to_token(*id).unwrap_or_else(|| id.to_string()),
    };
    let names: Vec<_> = parts.iter().take(8).map(name).collect();
    if parts.len() > 8 { format!("{} ...", names.join(" ")) } else { names.join(" ") }
}
