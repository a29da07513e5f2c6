//! The settings that a run directory saves.

use embert_model::AutoConfig;
use embert_text::Tokenizer;

use crate::config::TrainConfig;

/// The settings that a run directory saves.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings<'a> {
    /// The training settings.
    pub config: &'a TrainConfig,
    /// The model's `config.json`.
    pub model_config: &'a AutoConfig,
    /// The tokenizer.
    pub tokenizer: &'a Tokenizer,
    /// The contents of `recipe.toml`.
    pub recipe: &'a str,
}
