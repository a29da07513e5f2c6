//! Checks the values of a recipe before anything is read.
//!
//! `TrainConfig` and `LoraConfig` check `[train]` and `[lora]`.

use embert_data::Columns;

use super::sections::{DataSection, Recipe, ScratchSection};
use crate::error::CliError;

/// Maximum number of parameters of a model with random weights: 40 GB in fp32.
const MOST_PARAMETERS: u128 = 10_000_000_000;
/// Maximum number of generated reviews. The generator runs out of new sentences beyond it.
const MOST_REVIEWS: usize = 1_000_000;

/// Fails for the first invalid value.
pub(crate) fn check(recipe: &Recipe) -> Result<(), CliError> {
    recipe.train.validate().map_err(CliError::usage)?;
    check_rates(recipe)?;
    recipe.data.read_options(None)?;
    recipe.model.scratch.as_ref().map_or(Ok(()), check_scratch)?;
    let reviews = recipe.data.synthetic_reviews;
    if reviews > MOST_REVIEWS {
        return Err(wrong("data.synthetic_reviews", reviews, "at most 1000000"));
    }
    check_adapter(recipe)
}

/// Fails if a column of texts is also a column of labels: a model would learn from its own labels.
///
/// For commands that read labels. `predict` may read texts from the label column of training.
pub(crate) fn check_columns(data: &DataSection) -> Result<(), CliError> {
    let Columns { texts, text_pair, labels } = data.read_options(None)?.columns;
    let texts = texts.iter().map(|name| ("--text_column_name", name));
    let pair = text_pair.iter().map(|name| ("--text_pair_column_name", name));
    let is_label = |name: &str| labels.iter().any(|label| label.trim() == name.trim());
    match texts.chain(pair).find(|(_, name)| is_label(name)) {
        Some((flag, name)) => Err(CliError::usage(format!(
            "{flag}: the column {name:?} is also the label column; name another column, or another --label_column_name"
        ))),
        None => Ok(()),
    }
}

fn check_rates(recipe: &Recipe) -> Result<(), CliError> {
    let model = &recipe.model;
    let rates = [
        ("model.hidden_dropout_prob", model.hidden_dropout_prob),
        ("model.attention_probs_dropout_prob", model.attention_probs_dropout_prob),
        ("model.classifier_dropout", model.classifier_dropout),
        ("data.validation_share", Some(recipe.data.validation_share)),
        ("data.threshold", recipe.data.threshold),
    ];
    let mut given = rates.into_iter().filter_map(|(key, rate)| Some((key, rate?)));
    match given.find(|(_, rate)| !(0.0..1.0).contains(rate)) {
        Some((key, rate)) => Err(wrong(key, rate, "at least 0 and below 1")),
        None => Ok(()),
    }
}

fn check_scratch(scratch: &ScratchSection) -> Result<(), CliError> {
    let sizes = [
        ("model.scratch.vocab_size", scratch.vocab_size),
        ("model.scratch.hidden_size", scratch.hidden_size),
        ("model.scratch.num_hidden_layers", scratch.num_hidden_layers),
        ("model.scratch.num_attention_heads", scratch.num_attention_heads),
        ("model.scratch.intermediate_size", scratch.intermediate_size),
        ("model.scratch.max_position_embeddings", scratch.max_position_embeddings),
    ];
    if let Some((key, size)) = sizes.into_iter().find(|(_, size)| !(1..=i32::MAX as usize).contains(size)) {
        return Err(wrong(key, size, "between 1 and 2147483647"));
    }
    if !scratch.hidden_size.is_multiple_of(scratch.num_attention_heads) {
        let expected = format!("a multiple of num_attention_heads {}", scratch.num_attention_heads);
        return Err(wrong("model.scratch.hidden_size", scratch.hidden_size, &expected));
    }
    match num_weights(scratch) {
        weights if weights > MOST_PARAMETERS => Err(CliError::usage(format!(
            "model.scratch describes {weights} parameters, more than {MOST_PARAMETERS}"
        ))),
        _ => Ok(()),
    }
}

/// Returns the number of weights without biases and norms.
fn num_weights(scratch: &ScratchSection) -> u128 {
    let [hidden, intermediate, layers] =
        [scratch.hidden_size, scratch.intermediate_size, scratch.num_hidden_layers].map(|size| size as u128);
    let rows = (scratch.vocab_size + scratch.max_position_embeddings) as u128;
    (rows + layers * (4 * hidden + 2 * intermediate)) * hidden
}

fn check_adapter(recipe: &Recipe) -> Result<(), CliError> {
    if let Some(lora) = &recipe.lora {
        lora.validate().map_err(|error| CliError::usage(format!("lora.{error}")))?;
        if recipe.model.adapter.is_some() {
            return Err(CliError::usage(
                "the adapter of --adapter has its own LoRA settings; remove [lora] and the LoRA flags",
            ));
        }
    }
    let adapts = recipe.lora.is_some() || recipe.model.adapter.is_some();
    if adapts && recipe.model.scratch.is_some() {
        return Err(CliError::usage("an adapter needs a pretrained model: model.scratch has random weights"));
    }
    Ok(())
}

fn wrong(key: &str, found: impl std::fmt::Display, expected: &str) -> CliError {
    CliError::usage(format!("{key} is {found}; it must be {expected}"))
}
