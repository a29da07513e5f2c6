//! Reads built-in recipes by name, and recipe files.

use std::fs;

use toml::Table;

use crate::error::CliError;

/// The built-in recipes by name.
pub(super) const RECIPES: &[(&str, &str)] = &[
    ("quickstart", include_str!("../../recipes/quickstart.toml")),
    ("quickstart-pairs", include_str!("../../recipes/quickstart-pairs.toml")),
    ("quickstart-multi-label", include_str!("../../recipes/quickstart-multi-label.toml")),
    ("quickstart-regression", include_str!("../../recipes/quickstart-regression.toml")),
    ("glue", include_str!("../../recipes/glue.toml")),
    ("jigsaw", include_str!("../../recipes/jigsaw.toml")),
    (IMDB, include_str!("../../recipes/imdb.toml")),
    ("imdb-bert-500", include_str!("../../recipes/imdb-bert-500.toml")),
    ("imdb-bert-2k", include_str!("../../recipes/imdb-bert-2k.toml")),
    ("imdb-bert-full-1k", include_str!("../../recipes/imdb-bert-full-1k.toml")),
    ("imdb-bert-full-1k-sane", include_str!("../../recipes/imdb-bert-full-1k-sane.toml")),
    ("imdb-bert-lora-1k", include_str!("../../recipes/imdb-bert-lora-1k.toml")),
    ("imdb-deberta-v3", include_str!("../../recipes/imdb-deberta-v3.toml")),
    ("imdb-distilbert-lora", include_str!("../../recipes/imdb-distilbert-lora.toml")),
    ("imdb-modernbert", include_str!("../../recipes/imdb-modernbert.toml")),
    ("imdb-roberta", include_str!("../../recipes/imdb-roberta.toml")),
    ("imdb-xlm-r", include_str!("../../recipes/imdb-xlm-r.toml")),
    ("synthetic-bert", include_str!("../../recipes/synthetic-bert.toml")),
];

/// The default recipe of a command line without data.
pub(super) const IMDB: &str = "imdb";

/// Returns the names of the built-in recipes.
pub(crate) fn names() -> String {
    RECIPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

pub(super) fn read(name: &str) -> Result<Table, CliError> {
    if let Some((_, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
        return parse(text, name);
    }
    let text = fs::read_to_string(name).map_err(|error| {
        CliError::usage(format!("recipe {name}: {error}; it must be a TOML file or one of {}", names()))
    })?;
    parse(&text, name)
}

fn parse(text: &str, origin: &str) -> Result<Table, CliError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        CliError::usage(format!("recipe {origin}: line {line}: {}", error.message()))
    })
}
