//! The components of a `tokenizer.json` that are supported: those of encoder families.
//!
//! Each is safe on every text: it needs linear time, no randomness, and memory in proportion to the text.

use serde_json::Value;

use crate::{Result, TextError, charsmap};

const NORMALIZERS: [&str; 10] = [
    "BertNormalizer",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "Strip",
    "StripAccents",
    "Precompiled",
    "Replace",
];
const PRE_TOKENIZERS: [&str; 6] =
    ["BertPreTokenizer", "ByteLevel", "Metaspace", "WhitespaceSplit", "Punctuation", "Split"];
const POST_PROCESSORS: [&str; 4] = ["TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel"];
const DECODERS: [&str; 7] =
    ["WordPiece", "ByteLevel", "Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"];
const MODELS: [&str; 3] = ["WordPiece", "BPE", "Unigram"];

/// Regular expressions that need linear time. Others can need exponential time.
const REGEXES: [&str; 3] = [" {2,}", r"\s{2,}|[\n\r\t]", r"\s+"];

/// Maximum number of components of a kind. ALBERT has 7 normalizers.
const MAX_COMPONENTS: usize = 16;
/// Maximum length in bytes of the texts in a component.
const MAX_TEXT: usize = 64;
/// Maximum length in bytes of a piece of Unigram, whose time grows with it. SentencePiece has 16 characters.
const MAX_PIECE: usize = 512;
/// Maximum of `max_input_chars_per_word`. BERT models have 100.
const MAX_INPUT_CHARS_PER_WORD: u64 = 1000;

/// Checks the components of a `tokenizer.json`. `origin` is the file, for errors.
pub(crate) fn check(content: &Value, origin: &str) -> Result<()> {
    let file = File { origin };
    let model = file.check_type(&content["model"], "model", &MODELS)?;
    match model {
        "WordPiece" => file.check_wordpiece(content)?,
        "BPE" => file.check_bpe(&content["model"])?,
        _ => file.check_unigram(&content["model"])?,
    }
    file.check_normalizers(&content["normalizer"])?;
    for component in
        file.list(&content["pre_tokenizer"], "pre_tokenizer", "pretokenizers", &PRE_TOKENIZERS)?
    {
        if component["type"] == "Split" {
            file.check_pattern(&component["pattern"], "pre_tokenizer.pattern")?;
        }
    }
    file.list(&content["post_processor"], "post_processor", "processors", &POST_PROCESSORS)?;
    for component in file.list(&content["decoder"], "decoder", "decoders", &DECODERS)? {
        if component["type"] == "Replace" {
            file.check_pattern(&component["pattern"], "decoder.pattern")?;
        }
    }
    Ok(())
}

/// Returns the type of the model of a `tokenizer.json`. Old files have no type.
pub(crate) fn model_type(content: &Value) -> Value {
    let model = &content["model"];
    match &model["type"] {
        Value::Null if model["vocab"].is_array() => "Unigram".into(),
        Value::Null if model["merges"].is_array() => "BPE".into(),
        Value::Null => "WordPiece".into(),
        found => found.clone(),
    }
}

/// The file under check.
struct File<'a> {
    origin: &'a str,
}

impl File<'_> {
    /// BERT's WordPiece needs the other components of BERT.
    fn check_wordpiece(&self, content: &Value) -> Result<()> {
        let model = &content["model"];
        match &model["max_input_chars_per_word"] {
            Value::Null => (),
            found if found.as_u64().is_some_and(|length| length <= MAX_INPUT_CHARS_PER_WORD) => (),
            found => {
                return Err(self.malformed(format!(
                    "max_input_chars_per_word is {found}, not a number up to {MAX_INPUT_CHARS_PER_WORD}"
                )));
            }
        }
        self.expect(&model["continuing_subword_prefix"], "model.continuing_subword_prefix", "##")?;
        self.check_type(&content["normalizer"], "normalizer", &["BertNormalizer"])?;
        self.check_type(&content["pre_tokenizer"], "pre_tokenizer", &["BertPreTokenizer"]).map(drop)
    }

    /// Dropout makes ids random. Prefixes and suffixes are of other families.
    fn check_bpe(&self, model: &Value) -> Result<()> {
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if !(model[key].is_null() || model[key] == "") {
                return Err(self.unsupported(format!("model.{key}"), &model[key], "null"));
            }
        }
        match &model["dropout"] {
            Value::Null => Ok(()),
            dropout if dropout.as_f64() == Some(0.0) => Ok(()),
            dropout => Err(self.unsupported("model.dropout".to_owned(), dropout, "null")),
        }
    }

    fn check_unigram(&self, model: &Value) -> Result<()> {
        if model["unk_id"].as_u64().is_none() {
            return Err(self.unsupported("model.unk_id".to_owned(), &model["unk_id"], "the id of a token"));
        }
        let pieces = model["vocab"].as_array().into_iter().flatten().filter_map(|piece| piece[0].as_str());
        match pieces.into_iter().find(|piece| piece.len() > MAX_PIECE) {
            None => Ok(()),
            Some(piece) => Err(self
                .malformed(format!("a token of Unigram has {} bytes, more than {MAX_PIECE}", piece.len()))),
        }
    }

    fn check_normalizers(&self, normalizer: &Value) -> Result<()> {
        let list = self.list(normalizer, "normalizer", "normalizers", &NORMALIZERS)?;
        if list.iter().filter(|component| component["type"] == "Precompiled").count() > 1 {
            return Err(self.malformed("it has more than one Precompiled normalizer".to_owned()));
        }
        list.into_iter().try_for_each(|component| match component["type"].as_str() {
            Some("Replace") => self.check_replace(component),
            Some("Precompiled") => self.check_charsmap(&component["precompiled_charsmap"]),
            _ => Ok(()),
        })
    }

    /// A replacement with more characters than its pattern can make a text grow exponentially in a sequence.
    fn check_replace(&self, component: &Value) -> Result<()> {
        let pattern = self.check_pattern(&component["pattern"], "normalizer.pattern")?;
        let content = self.check_text(&component["content"], "normalizer.content")?;
        let matched = if component["pattern"]["Regex"].is_null() { pattern.chars().count() } else { 1 };
        if content.chars().count() > matched {
            let reason =
                format!("the Replace normalizer replaces {pattern:?} by {content:?}, which is longer");
            return Err(self.malformed(reason));
        }
        Ok(())
    }

    fn check_charsmap(&self, charsmap: &Value) -> Result<()> {
        let problem = match charsmap.as_str().map(charsmap::decode_base64) {
            Some(Some(bytes)) => charsmap::check(&bytes).err(),
            _ => Some("it is not base64".to_owned()),
        };
        problem.map_or(Ok(()), |problem| Err(self.malformed(format!("precompiled_charsmap: {problem}"))))
    }

    /// Returns the text of a pattern.
    fn check_pattern<'a>(&self, pattern: &'a Value, part: &str) -> Result<&'a str> {
        if let Some(regex) = pattern["Regex"].as_str() {
            if REGEXES.contains(&regex) {
                return Ok(regex);
            }
            return Err(self.unsupported(
                part.to_owned(),
                pattern,
                &format!("{{\"String\": TEXT}} or a Regex of {REGEXES:?}"),
            ));
        }
        match self.check_text(&pattern["String"], part)? {
            "" => Err(self.malformed(format!("{part} is empty"))),
            text => Ok(text),
        }
    }

    fn check_text<'a>(&self, text: &'a Value, part: &str) -> Result<&'a str> {
        text.as_str()
            .filter(|text| text.len() <= MAX_TEXT)
            .ok_or_else(|| self.malformed(format!("{part} is not a text of at most {MAX_TEXT} bytes")))
    }

    /// Returns a component, or those in a sequence, and checks their types.
    fn list<'a>(
        &self,
        component: &'a Value,
        part: &str,
        key: &str,
        supported: &[&str],
    ) -> Result<Vec<&'a Value>> {
        let (mut list, mut open) = (vec![], vec![component]);
        while let Some(component) = open.pop().filter(|_| list.len() <= MAX_COMPONENTS) {
            match component["type"].as_str() {
                _ if component.is_null() => (),
                Some("Sequence") => {
                    open.extend(component[key].as_array().into_iter().flatten().rev());
                }
                _ => {
                    self.check_type(component, part, supported)?;
                    list.push(component);
                }
            }
        }
        if list.len() > MAX_COMPONENTS {
            return Err(self.malformed(format!("{part} has more than {MAX_COMPONENTS} components")));
        }
        Ok(list)
    }

    fn check_type<'a>(&self, component: &'a Value, part: &str, supported: &[&str]) -> Result<&'a str> {
        let found = &component["type"];
        match found.as_str().filter(|name| supported.contains(name)) {
            Some(name) => Ok(name),
            None => Err(self.unsupported(format!("{part}.type"), found, &supported.join(", "))),
        }
    }

    fn expect(&self, found: &Value, part: &str, supported: &str) -> Result<()> {
        if found == supported { Ok(()) } else { Err(self.unsupported(part.to_owned(), found, supported)) }
    }

    fn unsupported(&self, part: String, found: &Value, supported: &str) -> TextError {
        let found = if found.is_null() { "missing".to_owned() } else { found.to_string() };
        TextError::Unsupported {
            origin: self.origin.to_owned(),
            part,
            found,
            supported: supported.to_owned(),
        }
    }

    fn malformed(&self, reason: String) -> TextError {
        TextError::Malformed { origin: self.origin.to_owned(), reason }
    }
}
