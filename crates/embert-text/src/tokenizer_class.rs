//! The tokenizer classes of transformers, for directories without a `tokenizer.json`.

use std::path::Path;

use serde_json::Value;

use crate::json_file::read_json_if_exists;
use crate::{Result, TextError};

/// A tokenizer class of transformers. It decides the pipeline of vocabulary files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenizerClass {
    Bert,
    MPNet,
    Roberta,
    XlmRoberta,
    Camembert,
    DebertaV2,
    Albert,
}

use TokenizerClass::{Albert, Bert, Camembert, DebertaV2, MPNet, Roberta, XlmRoberta};

/// Values of `tokenizer_class` in tokenizer_config.json, without the suffix `Fast`.
const CLASS_NAMES: [(&str, TokenizerClass); 9] = [
    ("BertTokenizer", Bert),
    ("DistilBertTokenizer", Bert),
    ("ElectraTokenizer", Bert),
    ("MPNetTokenizer", MPNet),
    ("RobertaTokenizer", Roberta),
    ("XLMRobertaTokenizer", XlmRoberta),
    ("CamembertTokenizer", Camembert),
    ("DebertaV2Tokenizer", DebertaV2),
    ("AlbertTokenizer", Albert),
];

/// Values of `tokenizer_class` that do not name a pipeline.
const GENERIC_NAMES: [&str; 3] = ["PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend"];

/// Values of `model_type` in config.json.
const MODEL_TYPES: [(&str, TokenizerClass); 9] = [
    ("bert", Bert),
    ("distilbert", Bert),
    ("electra", Bert),
    ("mpnet", MPNet),
    ("roberta", Roberta),
    ("xlm-roberta", XlmRoberta),
    ("camembert", Camembert),
    ("deberta-v2", DebertaV2),
    ("albert", Albert),
];

/// Names of vocabulary files, in the order in which a directory is searched, with the class if nothing names one.
pub(crate) const VOCABULARY_FILES: [(&str, TokenizerClass); 6] = [
    ("vocab.txt", Bert),
    ("vocab.json", Roberta),
    ("sentencepiece.bpe.model", XlmRoberta),
    ("spm.model", DebertaV2),
    ("spiece.model", Albert),
    ("sentencepiece.model", XlmRoberta),
];

/// The special tokens of RoBERTa, XLM-R and CamemBERT.
const FAIRSEQ_TOKENS: [(&str, &str); 7] = [
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];

/// BERT's special tokens. In a new vocabulary they have ids 0 to 4, in this order.
pub(crate) const BERT_TOKENS: [(&str, &str); 5] = [
    ("pad_token", "[PAD]"),
    ("unk_token", "[UNK]"),
    ("cls_token", "[CLS]"),
    ("sep_token", "[SEP]"),
    ("mask_token", "[MASK]"),
];

/// The format of a vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VocabularyFormat {
    /// `vocab.txt`.
    WordPiece,
    /// `vocab.json` and `merges.txt`.
    ByteLevelBpe,
    /// A SentencePiece model.
    Unigram,
}

impl TokenizerClass {
    /// Returns the class that tokenizer_config.json or config.json names, or else the class that the file is typical of.
    pub(crate) fn of(path: &Path, config: &Value) -> Result<Self> {
        let format = VocabularyFormat::of(path);
        let config_path = path.with_file_name("tokenizer_config.json");
        if let Some(class) = class_of_name(&config["tokenizer_class"], &config_path)? {
            return class.with_format(format, &config_path);
        }
        let model_path = path.with_file_name("config.json");
        let model = read_json_if_exists(&model_path)?;
        if let Some(class) = class_of_name(&model["tokenizer_class"], &model_path)? {
            return class.with_format(format, &model_path);
        }
        let of_model_type = MODEL_TYPES.iter().find(|(name, _)| model["model_type"] == *name);
        let of_model_type = of_model_type.map(|(_, class)| *class).filter(|class| class.format() == format);
        Ok(of_model_type.unwrap_or_else(|| typical(path, format)))
    }

    /// Returns the class of a name, such as `BertTokenizer` or `BertTokenizerFast`.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix("Fast").unwrap_or(name);
        CLASS_NAMES.iter().find(|(known, _)| *known == name).map(|(_, class)| *class)
    }

    /// Returns the format of the vocabulary.
    pub(crate) fn format(self) -> VocabularyFormat {
        match self {
            Bert | MPNet => VocabularyFormat::WordPiece,
            Roberta => VocabularyFormat::ByteLevelBpe,
            XlmRoberta | Camembert | DebertaV2 | Albert => VocabularyFormat::Unigram,
        }
    }

    /// Returns the special tokens by their keys in transformers.
    pub(crate) fn special_tokens(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Bert | DebertaV2 => BERT_TOKENS.to_vec(),
            Roberta | XlmRoberta | Camembert => FAIRSEQ_TOKENS.to_vec(),
            MPNet => replace(&FAIRSEQ_TOKENS, "unk_token", "[UNK]"),
            Albert => replace(&replace(&BERT_TOKENS, "pad_token", "<pad>"), "unk_token", "<unk>"),
        }
    }

    /// Returns the number of `sep_token`s between the texts of a pair.
    pub(crate) fn separators(self) -> usize {
        match self {
            Bert | DebertaV2 | Albert => 1,
            MPNet | Roberta | XlmRoberta | Camembert => 2,
        }
    }

    /// Returns true if the mask token contains the space before it.
    pub(crate) fn mask_strips_left(self) -> bool {
        matches!(self, Camembert | MPNet)
    }

    /// Returns an error if the file has another format than the class.
    fn with_format(self, format: VocabularyFormat, origin: &Path) -> Result<Self> {
        if self.format() == format {
            return Ok(self);
        }
        let of_format: Vec<_> =
            CLASS_NAMES.iter().filter(|(_, class)| class.format() == format).map(|(name, _)| *name).collect();
        Err(TextError::Unsupported {
            origin: origin.display().to_string(),
            part: "tokenizer_class".to_owned(),
            found: format!("{self:?}Tokenizer, which has no {}", format.files()),
            supported: of_format.join(", "),
        })
    }
}

impl VocabularyFormat {
    /// Returns the format of a file, by its name.
    pub(crate) fn of(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Self::ByteLevelBpe,
            Some("model") => Self::Unigram,
            _ => Self::WordPiece,
        }
    }

    fn files(self) -> &'static str {
        match self {
            Self::WordPiece => "vocab.txt",
            Self::ByteLevelBpe => "vocab.json with merges.txt",
            Self::Unigram => "SentencePiece model",
        }
    }
}

/// Returns the class of a name; `None` for no name or a generic one.
fn class_of_name(name: &Value, origin: &Path) -> Result<Option<TokenizerClass>> {
    let Some(name) = name.as_str().filter(|name| !GENERIC_NAMES.contains(name)) else { return Ok(None) };
    match TokenizerClass::of_name(name) {
        Some(class) => Ok(Some(class)),
        None => Err(TextError::Unsupported {
            origin: origin.display().to_string(),
            part: "tokenizer_class".to_owned(),
            found: name.to_owned(),
            supported: CLASS_NAMES.map(|(name, _)| name).join(", "),
        }),
    }
}

/// Returns the class that usually has a file of this name.
fn typical(path: &Path, format: VocabularyFormat) -> TokenizerClass {
    let of_name =
        VOCABULARY_FILES.iter().find(|(name, _)| path.file_name().is_some_and(|file| file == *name));
    of_name.map_or_else(
        || match format {
            VocabularyFormat::WordPiece => Bert,
            VocabularyFormat::ByteLevelBpe => Roberta,
            VocabularyFormat::Unigram => XlmRoberta,
        },
        |(_, class)| *class,
    )
}

fn replace(
    tokens: &[(&'static str, &'static str)],
    key: &str,
    token: &'static str,
) -> Vec<(&'static str, &'static str)> {
    tokens.iter().map(|(name, known)| (*name, if *name == key { token } else { *known })).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    /// Returns the class for a file in a directory with this config.json.
    fn class(file: &str, tokenizer_config: Value, config: Value) -> Result<TokenizerClass, String> {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        TokenizerClass::of(&directory.path().join(file), &tokenizer_config).map_err(|error| error.to_string())
    }

    #[test]
    fn the_tokenizer_class_is_followed_then_the_model_type_then_the_name_of_the_file() {
        let named = |name: &str| json!({"tokenizer_class": name});
        let of_type = |name: &str| json!({"model_type": name});
        let cases = [
            ("vocab.txt", named("MPNetTokenizerFast"), of_type("bert"), MPNet),
            ("vocab.txt", json!({}), of_type("mpnet"), MPNet),
            ("vocab.txt", json!(null), of_type("gpt"), Bert),
            ("vocab.txt", named("PreTrainedTokenizer"), of_type("electra"), Bert),
            ("spm.model", named("TokenizersBackend"), named("XLMRobertaTokenizer"), XlmRoberta),
            ("sentencepiece.bpe.model", json!({}), of_type("camembert"), Camembert),
            ("sentencepiece.bpe.model", json!({}), of_type("bert"), XlmRoberta),
            ("spm.model", json!({}), json!({}), DebertaV2),
            ("spiece.model", json!({}), json!({}), Albert),
            ("other.model", json!({}), json!({}), XlmRoberta),
            ("vocab.json", json!({}), json!({}), Roberta),
        ];
        for (file, tokenizer_config, config, expected) in cases {
            assert_eq!(
                class(file, tokenizer_config.clone(), config),
                Ok(expected),
                "{file} {tokenizer_config}"
            );
        }
    }

    #[test]
    fn an_unsupported_class_is_an_error_with_the_supported_ones() {
        let error = |file, name: &str| class(file, json!({"tokenizer_class": name}), json!({})).unwrap_err();
        let unknown = error("vocab.txt", "BertJapaneseTokenizer");
        assert!(unknown.contains("BertJapaneseTokenizer, but only BertTokenizer, DistilBert"), "{unknown}");
        let other = error("vocab.json", "AlbertTokenizer");
        assert!(
            other.contains(
                "AlbertTokenizer, which has no vocab.json with merges.txt, but only RobertaTokenizer"
            ),
            "{other}"
        );
    }
}
