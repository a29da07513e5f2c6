//! Unigram tokenizers of SentencePiece models: XLM-R, CamemBERT, DeBERTa-v2 and v3, and ALBERT.
//!
//! The pipelines are those of the converters in convert_slow_tokenizer.py of transformers. The class `DebertaV2Tokenizer`
//! of transformers 5 ignores the rules of the model's normalizer; here they count, as for the training of the models.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tokenizers::AddedToken;
use tokenizers::normalizers::Precompiled;

use crate::sentencepiece::{Piece, SentencePieceModel};
use crate::special_tokens::SpecialTokens;
use crate::tokenizer_class::TokenizerClass;
use crate::{Result, TextError, added_tokens, charsmap, special_token_template};

/// Returns the content of a `tokenizer.json` for the SentencePiece model at `path`.
pub(crate) fn content(
    class: TokenizerClass,
    path: &Path,
    bytes: &[u8],
    config: &Value,
    tokens: &SpecialTokens,
) -> Result<Value> {
    let origin = path.display().to_string();
    let model = SentencePieceModel::parse(bytes, path)?;
    let (pieces, unk_id) = pieces(class, &model, tokens);
    let vocabulary: BTreeMap<_, _> =
        pieces.iter().zip(0..).map(|((piece, _), id)| (piece.clone(), id)).collect();
    let [cls, sep] = ["cls_token", "sep_token"].map(|key| tokens.with_id(key, &vocabulary, &origin));
    let pair_type = if matches!(class, TokenizerClass::DebertaV2 | TokenizerClass::Albert) { 1 } else { 0 };
    let setting = |key: &str, default: bool| config[key].as_bool().unwrap_or(default);
    let scheme = if setting("add_prefix_space", true) { "always" } else { "never" };
    let metaspace = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true});
    let precompiled = precompiled(&model, &origin)?;
    let normalizers = match class {
        TokenizerClass::DebertaV2 => deberta_normalizers(precompiled, setting("do_lower_case", false)),
        TokenizerClass::Albert => {
            albert_normalizers(precompiled, setting("do_lower_case", true), setting("keep_accents", false))
        }
        _ => fairseq_normalizers(precompiled),
    };
    let splits_punctuation = class == TokenizerClass::DebertaV2 && setting("split_by_punct", false);
    let pre_tokenizer = if splits_punctuation {
        json!({"type": "Sequence", "pretokenizers": [{"type": "Punctuation", "behavior": "Isolated"}, metaspace]})
    } else {
        metaspace.clone()
    };
    Ok(json!({
        "version": "1.0",
        "added_tokens": added_tokens(&model, class, tokens, &vocabulary),
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": pre_tokenizer,
        "post_processor": special_token_template::component(&cls?, &sep?, class.separators(), pair_type),
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": unk_id, "vocab": pieces, "byte_fallback": false},
    }))
}

/// Returns the pieces with their scores, in the order of ids, and the id of the unknown token.
///
/// XLM-R and CamemBERT have ids of fairseq, which start with `<s>`, `<pad>`, `</s>`, `<unk>` and end with `<mask>`.
fn pieces(
    class: TokenizerClass,
    model: &SentencePieceModel,
    tokens: &SpecialTokens,
) -> (Vec<(String, f64)>, usize) {
    let scored = |piece: &Piece| (piece.text.clone(), f64::from(piece.score));
    let special = |key: &str| (tokens.content(key).to_owned(), 0.0);
    let literal = |text: &str, score: f64| (text.to_owned(), score);
    let (first, num_replaced) = match class {
        TokenizerClass::XlmRoberta => {
            (vec![special("bos_token"), special("pad_token"), special("eos_token"), special("unk_token")], 3)
        }
        TokenizerClass::Camembert => {
            let unused =
                [literal("<s>NOTUSED", 0.0), literal("</s>NOTUSED", 0.0), literal("<unk>NOTUSED", -100.0)];
            let [bos, eos, unk] = unused;
            (vec![bos, special("pad_token"), eos, special("unk_token"), unk], 1)
        }
        TokenizerClass::Albert => return (model.pieces.iter().map(albert_piece).collect(), model.unk_id),
        _ => return (model.pieces.iter().map(scored).collect(), model.unk_id),
    };
    let rest = model.pieces.iter().skip(num_replaced).map(scored);
    (first.into_iter().chain(rest).chain([special("mask_token")]).collect(), 3)
}

/// ALBERT does not want a comma after a digit in a piece.
fn albert_piece(piece: &Piece) -> (String, f64) {
    let mut end = piece.text.chars().rev();
    let after_digit = end.next() == Some(',') && end.next().is_some_and(is_digit);
    (piece.text.clone(), f64::from(piece.score) - if after_digit { 100.0 } else { 0.0 })
}

/// `str.isdigit` of Python, for the digits that models have.
fn is_digit(letter: char) -> bool {
    letter.is_ascii_digit() || matches!(letter, '²' | '³' | '¹')
}

/// Returns the rules of the model's normalizer as a component, if it has rules.
fn precompiled(model: &SentencePieceModel, origin: &str) -> Result<Option<Value>> {
    let charsmap = &model.precompiled_charsmap;
    if charsmap.is_empty() {
        return Ok(None);
    }
    let malformed = |reason| TextError::Malformed {
        origin: origin.to_owned(),
        reason: format!("precompiled_charsmap: {reason}"),
    };
    charsmap::check(charsmap).map_err(malformed)?;
    let precompiled = Precompiled::from(charsmap).map_err(|error| malformed(error.to_string()))?;
    Ok(Some(serde_json::to_value(precompiled).expect("a normalizer is plain data")))
}

fn replace_spaces(content: &str) -> Value {
    json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": content})
}

fn strip(left: bool) -> Value {
    json!({"type": "Strip", "strip_left": left, "strip_right": true})
}

fn fairseq_normalizers(precompiled: Option<Value>) -> Vec<Value> {
    precompiled.into_iter().chain([strip(false), replace_spaces("▁")]).collect()
}

fn deberta_normalizers(precompiled: Option<Value>, lowercase: bool) -> Vec<Value> {
    let lowercase = lowercase.then(|| json!({"type": "Lowercase"}));
    lowercase.into_iter().chain([strip(true)]).chain(precompiled).chain([replace_spaces(" ")]).collect()
}

fn albert_normalizers(precompiled: Option<Value>, lowercase: bool, keep_accents: bool) -> Vec<Value> {
    let quotes =
        ["``", "''"].map(|quotes| json!({"type": "Replace", "pattern": {"String": quotes}, "content": "\""}));
    let mut normalizers = quotes.to_vec();
    if !keep_accents {
        normalizers.extend([json!({"type": "NFKD"}), json!({"type": "StripAccents"})]);
    }
    normalizers.extend(lowercase.then(|| json!({"type": "Lowercase"})));
    normalizers.extend(precompiled);
    normalizers.push(replace_spaces(" "));
    normalizers
}

/// Returns the control and user-defined pieces, and the special tokens of the class.
fn added_tokens(
    model: &SentencePieceModel,
    class: TokenizerClass,
    tokens: &SpecialTokens,
    vocabulary: &BTreeMap<String, u32>,
) -> Vec<Value> {
    let pieces = model.pieces.iter().filter(|piece| piece.is_added_token());
    let pieces = pieces.map(|piece| AddedToken::from(&piece.text, piece.is_special()).normalized(false));
    let unused = ["<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"].map(|token| AddedToken::from(token, true));
    let unused = unused.into_iter().filter(|_| class == TokenizerClass::Camembert);
    let mut list: Vec<_> = pieces
        .chain(unused)
        .filter_map(|token| Some(added_tokens::with_id(&token, u64::from(*vocabulary.get(&token.content)?))))
        .filter(|token| !tokens.contains(token["content"].as_str().unwrap_or_default()))
        .collect();
    list.extend(tokens.added(vocabulary));
    list
}
