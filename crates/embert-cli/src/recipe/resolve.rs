//! Resolves a recipe: its file, then `--set`, then flags.

use clap::ArgMatches;
use toml::{Table, Value};

use super::check;
use super::files::{IMDB, read};
use super::flag_value::{flag_value, literal};
use super::given::{is_given, names_any, names_data};
use super::glue::apply_task;
use super::keys::{self, Key, Kind};
use super::sections::Recipe;
use super::table::{insert, leaves, remove};
use crate::error::CliError;

/// Maximum number of dots in a key. Patterns of `lora` may contain module names.
const DEEPEST: usize = 16;

/// Returns the recipe of a command line.
pub(crate) fn resolve(matches: &ArgMatches) -> Result<Recipe, CliError> {
    let recipe = match matches.get_one::<String>("recipe") {
        Some(name) => overridden(read(name)?, name, matches),
        None if names_data(matches) => overridden(Table::new(), "of flags", matches),
        None => overridden(read(IMDB)?, IMDB, matches),
    }?;
    check::check_columns(&recipe.data)?;
    Ok(recipe)
}

/// Returns the recipe of a resumed run: the `saved` one or that of `--recipe`, overridden by flags.
///
/// The run continues in `output_dir`, unless a flag names another directory.
pub(crate) fn resolve_over(
    saved: Recipe,
    output_dir: &str,
    matches: &ArgMatches,
) -> Result<Recipe, CliError> {
    let mut table = match matches.get_one::<String>("recipe") {
        Some(name) => read(name)?,
        None => Table::try_from(saved).expect("a recipe is TOML"),
    };
    insert(&mut table, "output.output_dir", Value::String(output_dir.into()));
    let recipe = overridden(table, "of the checkpoint", matches)?;
    check::check_columns(&recipe.data)?;
    Ok(recipe)
}

/// Overrides a recipe by `--set` and flags. Errors name `origin`.
pub(super) fn overridden(mut table: Table, origin: &str, matches: &ArgMatches) -> Result<Recipe, CliError> {
    displace(&mut table, matches);
    for assignment in matches.try_get_many::<String>("set").ok().flatten().into_iter().flatten() {
        let (path, value) = assignment.split_once('=').ok_or_else(|| {
            CliError::usage(format!("--set {assignment}: it must be KEY=VALUE, such as train.seed=1"))
        })?;
        if path.matches('.').count() > DEEPEST {
            return Err(CliError::usage(format!("--set {path}: this key has too many dots")));
        }
        insert(&mut table, path.trim(), literal(value.trim()));
    }
    for key in keys::all() {
        apply_flag(&mut table, key, matches)?;
    }
    strict(&table, origin)?;
    apply_task(&mut table)?;
    let has_scratch = table.get("model").is_some_and(|model| model.get("scratch").is_some());
    if has_scratch && names_any(&["model.model_name_or_path"], matches) {
        return Err(CliError::usage(
            "--model names a pretrained model, but --hidden_size and the other sizes describe one with random weights; use \
             only one of them",
        ));
    }
    let recipe: Recipe = table.try_into().map_err(|error: toml::de::Error| {
        CliError::usage(format!("recipe {origin}: {}", error.to_string().trim().replace('\n', "; ")))
    })?;
    check::check(&recipe)?;
    Ok(recipe)
}

/// Flags, and the keys of the recipe that would take precedence over them.
const DISPLACED: [(&str, &[&str]); 10] = [
    ("model.model_name_or_path", &["model.scratch"]),
    ("model.adapter", &["lora"]),
    ("data.dataset_name", &["data.train_file", "data.validation_file", "data.test_file"]),
    ("data.label_columns", &["data.label_column_name"]),
    ("data.label_column_name", &["data.label_columns"]),
    ("data.test_file", &["data.validation_file"]),
    ("data.test_split_name", &["data.validation_file", "data.test_file"]),
    ("train.num_train_epochs", &["train.max_steps"]),
    ("train.warmup_ratio", &["train.warmup_steps"]),
    ("train.warmup_steps", &["train.warmup_ratio"]),
];

/// Removes the keys that a given flag displaces.
fn displace(table: &mut Table, matches: &ArgMatches) {
    for (_, displaced) in DISPLACED.iter().filter(|(flag, _)| names_any(&[*flag], matches)) {
        displaced.iter().for_each(|key| remove(table, key));
    }
}

fn apply_flag(table: &mut Table, key: &Key, matches: &ArgMatches) -> Result<(), CliError> {
    if !is_given(key, matches) {
        return Ok(());
    }
    if let Kind::Means(value) = key.kind {
        insert(table, &key.path, Value::String(value.into()));
        return Ok(());
    }
    let text = matches.get_one::<String>(&key.flag).expect("a given flag has a value");
    insert(table, &key.path, flag_value(key, text)?);
    Ok(())
}

/// Fails for an unknown key, with a suggestion.
fn strict(table: &Table, origin: &str) -> Result<(), CliError> {
    let mut paths = vec![];
    leaves(table, "", &mut paths);
    let Some(unknown) = paths.iter().find(|path| !keys::all().any(|key| key.path == **path)) else {
        return Ok(());
    };
    let hint = match keys::nearest(unknown) {
        Some(known) => format!("; did you mean {known}?"),
        None => "; `embert train --print_config` shows all keys".into(),
    };
    Err(CliError::usage(format!("recipe {origin}: unknown key {unknown}{hint}")))
}
