//! Reads the files of a saved tokenizer into the content of one `tokenizer.json`.

use std::path::Path;

use serde_json::Value;

use crate::json_file::{parse_json, read, read_json_if_exists};
use crate::{Result, TextError, TokenizerNote, Truncation, added_tokens, tokenizer_json, vocabulary};

/// Values of `tokenizer_class` that a `vocab.txt` can have. Other classes split words in another way.
const BERT_TOKENIZERS: [&str; 5] =
    ["BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "PreTrainedTokenizer", "TokenizersBackend"];

/// The content of the files of a tokenizer.
pub(crate) struct TokenizerFiles {
    pub(crate) content: Value,
    pub(crate) truncation: Truncation,
    pub(crate) notes: Vec<TokenizerNote>,
}

impl TokenizerFiles {
    /// Reads a `tokenizer.json` (any name that ends in `.json`) or a `vocab.txt` (any other), and the files next to it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        let config_path = path.with_file_name("tokenizer_config.json");
        let config = read_json_if_exists(&config_path)?;
        let (mut content, notes) = if path.extension().is_some_and(|extension| extension == "json") {
            (parse_json(&bytes, path)?, vec![])
        } else {
            check_class(&config, &config_path)?;
            let vocabulary = vocabulary::parse(&bytes, &path.display().to_string())?;
            let note = config["do_lower_case"].is_null().then(|| TokenizerNote::LowerCaseAssumed {
                path: path.to_owned(),
                has_upper_case: vocabulary.keys().any(|token| has_upper_case(token)),
            });
            (tokenizer_json::from_vocabulary(&vocabulary), note.into_iter().collect())
        };
        tokenizer_json::apply_config(&mut content, &config, &config_path.display().to_string())?;
        added_tokens::apply(&mut content, &config, path)?;
        Ok(Self { content, truncation: truncation_side(&config, &config_path)?, notes })
    }
}

/// Returns true if a token has upper-case letters. Ignores special tokens such as `[CLS]`.
fn has_upper_case(token: &str) -> bool {
    !token.starts_with('[') && token.chars().any(char::is_uppercase)
}

fn check_class(config: &Value, config_path: &Path) -> Result<()> {
    let Some(class) = config["tokenizer_class"].as_str() else { return Ok(()) };
    if BERT_TOKENIZERS.contains(&class.strip_suffix("Fast").unwrap_or(class)) {
        return Ok(());
    }
    Err(TextError::Unsupported {
        origin: config_path.display().to_string(),
        part: "tokenizer_class",
        found: class.to_owned(),
        supported: "BertTokenizer",
    })
}

/// Returns the `truncation_side` of `tokenizer_config.json`; the default is that of transformers.
fn truncation_side(config: &Value, config_path: &Path) -> Result<Truncation> {
    match &config["truncation_side"] {
        Value::Null => Ok(Truncation::default()),
        side if side == "right" => Ok(Truncation::Right),
        side if side == "left" => Ok(Truncation::Left),
        other => Err(TextError::Unsupported {
            origin: config_path.display().to_string(),
            part: "truncation_side",
            found: other.to_string(),
            supported: "\"right\" or \"left\"",
        }),
    }
}
