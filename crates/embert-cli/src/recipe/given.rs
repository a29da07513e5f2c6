//! Tests which keys the user set by a flag, by `--set` or in a recipe.

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::files::{RECIPES, read};
use super::keys::{self, Key};
use crate::error::CliError;

/// Returns true if flags name the training data.
pub(super) fn names_data(matches: &ArgMatches) -> bool {
    names_any(&["data.dataset_name", "data.train_file", "data.task_name"], matches)
}

/// Returns true if the command line names a recipe or training data.
pub(crate) fn names_run(matches: &ArgMatches) -> bool {
    matches.contains_id("recipe") || names_data(matches)
}

/// Returns true if flags name evaluation data.
pub(crate) fn names_rows(matches: &ArgMatches) -> bool {
    names_any(&["data.dataset_name", "data.validation_file", "data.test_file"], matches)
}

/// Returns true if the command line or its recipe names the model.
pub(crate) fn names_model(matches: &ArgMatches) -> Result<bool, CliError> {
    let in_recipe = match matches.get_one::<String>("recipe") {
        Some(name) => read(name)?.contains_key("model"),
        None => !names_data(matches),
    };
    let in_flags = keys::all().any(|key| key.path.starts_with("model.") && is_given(key, matches));
    Ok(in_recipe || in_flags || set_paths(matches).any(|path| path.starts_with("model.")))
}

pub(super) fn names_any(keys: &[&str], matches: &ArgMatches) -> bool {
    set_paths(matches).any(|path| keys.contains(&path))
        || keys::all().any(|key| keys.contains(&&*key.path) && is_given(key, matches))
}

/// Returns true if the user set this key by a flag, by `--set`, or in a recipe file to another value than its default. The
/// recipe of a run has every key.
pub(crate) fn is_asked_for(key: &str, matches: &ArgMatches) -> bool {
    names_any(&[key], matches) || is_in_file(key, matches).unwrap_or(false)
}

/// Returns true if the recipe file has another value than the default; `None` without a recipe file.
fn is_in_file(key: &str, matches: &ArgMatches) -> Option<bool> {
    let name = matches.try_get_one::<String>("recipe").ok().flatten()?;
    let is_built_in = RECIPES.iter().any(|(known, _)| known == name);
    let table = read(name).ok().filter(|_| !is_built_in)?;
    let (section, name) = key.split_once('.')?;
    let value = table.get(section)?.get(name)?;
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let default = keys::all().find(|known| known.path == key)?.default.as_ref();
    Some(default != Some(&value))
}

/// Returns the keys that `--set` assigns.
fn set_paths(matches: &ArgMatches) -> impl Iterator<Item = &str> {
    let set = matches.try_get_many::<String>("set").ok().flatten().into_iter().flatten();
    set.filter_map(|assignment| assignment.split_once('=')).map(|(path, _)| path.trim())
}

pub(super) fn is_given(key: &Key, matches: &ArgMatches) -> bool {
    matches.try_contains_id(&key.flag).unwrap_or(false)
        && matches.value_source(&key.flag) == Some(ValueSource::CommandLine)
}
