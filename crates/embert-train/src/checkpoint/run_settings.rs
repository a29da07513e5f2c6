//! The settings of a run that its files describe.

use embert_model::AutoConfig;
use embert_text::Tokenizer;

use crate::config::TrainConfig;

/// The settings that the files of a run hold.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings<'a> {
    /// How it trains.
    pub config: &'a TrainConfig,
    /// What it trains.
    pub model_config: &'a AutoConfig,
    /// What made tokens of its texts.
    pub tokenizer: &'a Tokenizer,
    /// The resolved recipe as TOML, kept as `recipe.toml`.
    pub recipe: &'a str,
}
