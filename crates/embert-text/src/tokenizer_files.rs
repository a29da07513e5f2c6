//! Reads the files of a saved tokenizer into the content of one `tokenizer.json`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::added_tokens::{self, NamedToken};
use crate::json_file::{parse_json, read, read_json_if_exists};
use crate::special_tokens::SpecialTokens;
use crate::tokenizer_class::{BERT_TOKENS, TokenizerClass, VOCABULARY_FILES, VocabularyFormat};
use crate::{Result, TextError, TokenizerNote, Truncation};
use crate::{bert_pipeline, byte_level_bpe, special_token_template, tokenizer_json, unigram, vocabulary};

/// The content of the files of a tokenizer.
pub(crate) struct TokenizerFiles {
    pub(crate) content: Value,
    /// The special tokens that the files next to the vocabulary name.
    pub(crate) named: Vec<NamedToken>,
    /// `model_input_names` of tokenizer_config.json.
    pub(crate) model_input_names: Value,
    pub(crate) truncation: Truncation,
    pub(crate) notes: Vec<TokenizerNote>,
}

impl TokenizerFiles {
    /// Returns a content without files next to it.
    pub(crate) fn of_content(content: Value) -> Self {
        let truncation = Truncation::default();
        Self { content, named: vec![], model_input_names: Value::Null, truncation, notes: vec![] }
    }

    /// Reads a `tokenizer.json` or a vocabulary, and the files next to it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = read(path)?;
        let config_path = path.with_file_name("tokenizer_config.json");
        let config = read_json_if_exists(&config_path)?;
        let named = added_tokens::named_tokens(&config, path)?;
        let (mut content, notes) = if is_tokenizer_json(path) {
            (parse_json(&bytes, path)?, vec![])
        } else {
            from_vocabulary(path, &bytes, &config, &named)?
        };
        let origin = path.display().to_string();
        tokenizer_json::check_model(&mut content, &origin)?;
        tokenizer_json::apply_config(&mut content, &config, &config_path.display().to_string())?;
        apply_add_prefix_space(&mut content, &config);
        added_tokens::apply(&mut content, &config, &named, path)?;
        add_post_processor(&mut content);
        Ok(Self {
            content,
            named,
            model_input_names: config["model_input_names"].clone(),
            truncation: truncation_side(&config, &config_path)?,
            notes,
        })
    }
}

/// Returns the file of the tokenizer of a directory: its `tokenizer.json`, or else its vocabulary.
pub(crate) fn find(directory: &Path) -> Result<PathBuf> {
    let names = ["tokenizer.json"].into_iter().chain(VOCABULARY_FILES.map(|(name, _)| name));
    let found = names.map(|name| directory.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| TextError::NoTokenizer { directory: directory.to_owned() })
}

/// Returns true if `model_input_names` is a list without token types. The model then takes type 0 for all tokens.
pub(crate) fn lacks_token_types(model_input_names: &Value) -> bool {
    model_input_names.as_array().is_some_and(|names| !names.contains(&Value::from("token_type_ids")))
}

/// Returns true for all names that end in `.json`, without `vocab.json`.
fn is_tokenizer_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
        && path.file_name().is_some_and(|name| name != "vocab.json")
}

/// Returns the content of a vocabulary, with the pipeline of its class.
fn from_vocabulary(
    path: &Path,
    bytes: &[u8],
    config: &Value,
    named: &[NamedToken],
) -> Result<(Value, Vec<TokenizerNote>)> {
    let class = TokenizerClass::of(path, config)?;
    let tokens = SpecialTokens::new(class, named);
    match class.format() {
        VocabularyFormat::ByteLevelBpe => {
            Ok((byte_level_bpe::content(path, bytes, config, &tokens)?, vec![]))
        }
        VocabularyFormat::Unigram => Ok((unigram::content(class, path, bytes, config, &tokens)?, vec![])),
        VocabularyFormat::WordPiece => {
            let origin = path.display().to_string();
            let vocabulary = vocabulary::parse(bytes, &origin)?;
            let note = config["do_lower_case"].is_null().then(|| TokenizerNote::LowerCaseAssumed {
                path: path.to_owned(),
                has_upper_case: vocabulary.keys().any(|token| has_upper_case(token)),
            });
            Ok((bert_pipeline::content(class, &vocabulary, &tokens, &origin)?, note.into_iter().collect()))
        }
    }
}

/// Returns true if a token has upper-case letters. Ignores special tokens such as `[CLS]`.
fn has_upper_case(token: &str) -> bool {
    !token.starts_with('[') && token.chars().any(char::is_uppercase)
}

/// Follows `add_prefix_space` of RoBERTa's tokenizer_config.json, as transformers does.
fn apply_add_prefix_space(content: &mut Value, config: &Value) {
    let is_roberta =
        config["tokenizer_class"].as_str().is_some_and(|class| class.starts_with("RobertaTokenizer"));
    let is_byte_level = content["pre_tokenizer"]["type"] == "ByteLevel";
    if let Some(setting) = config["add_prefix_space"].as_bool().filter(|_| is_roberta && is_byte_level) {
        content["pre_tokenizer"]["add_prefix_space"] = setting.into();
    }
}

/// Adds BERT's post-processor to a WordPiece file that has none.
fn add_post_processor(content: &mut Value) {
    if !content["post_processor"].is_null() || content["model"]["type"] != "WordPiece" {
        return;
    }
    let id_of = |token: &str| {
        let added = content["added_tokens"].as_array().into_iter().flatten();
        let added = added.filter(|added| added["content"] == token).map(|added| &added["id"]);
        let id = added.chain([&content["model"]["vocab"][token]]).find_map(Value::as_u64)?;
        u32::try_from(id).ok()
    };
    let [cls, sep] =
        [2, 3].map(|index: usize| BERT_TOKENS[index].1).map(|token| Some((token.to_owned(), id_of(token)?)));
    if let (Some(cls), Some(sep)) = (cls, sep) {
        content["post_processor"] = special_token_template::component(&cls, &sep, 1, 1);
    }
}

/// Returns the `truncation_side` of `tokenizer_config.json`; the default is that of transformers.
fn truncation_side(config: &Value, config_path: &Path) -> Result<Truncation> {
    match &config["truncation_side"] {
        Value::Null => Ok(Truncation::default()),
        side if side == "right" => Ok(Truncation::Right),
        side if side == "left" => Ok(Truncation::Left),
        other => Err(TextError::Unsupported {
            origin: config_path.display().to_string(),
            part: "truncation_side".to_owned(),
            found: other.to_string(),
            supported: "\"right\" or \"left\"".to_owned(),
        }),
    }
}
