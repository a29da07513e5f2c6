//! The recipe of a trained model, for `evaluate`, `predict` and `merge`.

use std::path::Path;

use clap::ArgMatches;
use embert_inference::{ModelDirectory, recipe_path};
use toml::{Table, Value};

use super::files::read;
use super::given::names_rows;
use super::resolve::overridden;
use super::sections::Recipe;
use super::table::insert;
use crate::error::CliError;

/// Keys that describe only the recipe's own data.
const ROWS: [&str; 11] = [
    "dataset_name",
    "dataset_config_name",
    "task_name",
    "train_file",
    "validation_file",
    "test_file",
    "train_split_name",
    "test_split_name",
    "max_train_samples",
    "max_eval_samples",
    "shuffle_seed",
];

/// Returns the recipe in the directory of a model, overridden by flags.
///
/// Without a recipe, the maximum length is that of the model, and the truncation is that of the tokenizer. If flags name
/// data, the recipe's own data is ignored.
pub(crate) fn of_model(
    directory: &Path,
    model: &ModelDirectory,
    matches: &ArgMatches,
) -> Result<Recipe, CliError> {
    let path = recipe_path(directory);
    let mut table = if path.is_file() { read(&path.display().to_string())? } else { of_bare_model(model) };
    if names_rows(matches)
        && let Some(data) = table.get_mut("data").and_then(Value::as_table_mut)
    {
        ROWS.iter().for_each(|key| drop(data.remove(*key)));
    }
    overridden(table, &path.display().to_string(), matches)
}

/// Returns true if the directory of a model has the recipe of its run.
pub(crate) fn has_recipe(directory: &Path) -> bool {
    recipe_path(directory).is_file()
}

/// Returns true if the recipe of a model names the rows of its run. That of a merged or uploaded model does not.
pub(crate) fn names_own_rows(directory: &Path) -> Result<bool, CliError> {
    if !has_recipe(directory) {
        return Ok(false);
    }
    let table = read(&recipe_path(directory).display().to_string())?;
    let data = table.get("data").and_then(Value::as_table);
    Ok(data.is_some_and(|data| ROWS.iter().any(|key| data.contains_key(*key))))
}

fn of_bare_model(model: &ModelDirectory) -> Table {
    let mut table = Table::new();
    let positions = model.config.encoder.max_length();
    insert(&mut table, "data.max_seq_length", Value::Integer(positions as i64));
    insert(&mut table, "data.truncation_side", Value::String(model.tokenizer.truncation().to_string()));
    table
}

/// Returns the keys of a model's recipe that control how texts are read, as a recipe; `None` without a recipe.
pub(crate) fn reading_of(directory: &Path) -> Result<Option<String>, CliError> {
    if !has_recipe(directory) {
        return Ok(None);
    }
    let table = read(&recipe_path(directory).display().to_string())?;
    let data = table.get("data").and_then(Value::as_table).into_iter().flatten();
    let kept = data.filter(|(key, _)| READING.contains(&key.as_str()));
    let kept = kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Table>();
    let recipe = Table::from_iter([("data".to_owned(), Value::Table(kept))]);
    Ok(Some(toml::to_string_pretty(&recipe).expect("a recipe is TOML")))
}

/// Keys that control how texts are read.
const READING: [&str; 18] = [
    "text_column_name",
    "text_column_delimiter",
    "text_pair_column_name",
    "label_column_name",
    "label_columns",
    "label_separator",
    "label_map",
    "problem_type",
    "csv_separator",
    "csv_encoding",
    "csv_column_names",
    "json_field",
    "truncation_strategy",
    "pos_label",
    "clean",
    "max_seq_length",
    "truncation_side",
    "csv_quoting",
];
