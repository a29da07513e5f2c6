//! Resolves a recipe: its file, then `--set`, then flags.

use clap::ArgMatches;
use toml::{Table, Value};

use super::files::{IMDB, read};
use super::flag_value::{flag_value, literal};
use super::given::{is_given, names_any, names_data};
use super::keys::{self, Key, Kind};
use super::table::{insert, leaves, remove};
use super::{Recipe, check};
use crate::error::CliError;

/// The most dots in the path of a key: a pattern of `lora` may name a module.
const DEEPEST: usize = 16;

/// The recipe that the arguments mean.
pub(crate) fn resolve(matches: &ArgMatches) -> Result<Recipe, CliError> {
    match matches.get_one::<String>("recipe") {
        Some(name) => overridden(read(name)?, name, matches),
        None if names_data(matches) => overridden(Table::new(), "of flags", matches),
        None => overridden(read(IMDB)?, IMDB, matches),
    }
}

/// The recipe of a run that is taken up: `saved`, or the one that `--recipe` names, with flags over it. Where no flag says
/// otherwise, the run goes on in `output_dir`.
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
    overridden(table, "of the checkpoint", matches)
}

/// A recipe with `--set` and flags over it. `origin` is named where a key of its own is wrong.
pub(super) fn overridden(mut table: Table, origin: &str, matches: &ArgMatches) -> Result<Recipe, CliError> {
    displace(&mut table, matches);
    for assignment in matches.try_get_many::<String>("set").ok().flatten().into_iter().flatten() {
        let (path, value) = assignment.split_once('=').ok_or_else(|| {
            CliError::usage(format!("--set {assignment}: it must be KEY=VALUE, such as train.seed=1"))
        })?;
        if path.matches('.').count() > DEEPEST {
            return Err(CliError::usage(format!("--set {path}: no key lies so deep")));
        }
        insert(&mut table, path.trim(), literal(value.trim()));
    }
    for key in keys::all() {
        apply_flag(&mut table, key, matches)?;
    }
    strict(&table, origin)?;
    let has_scratch = table.get("model").is_some_and(|model| model.get("scratch").is_some());
    if has_scratch && names_any(&["model.model_name_or_path"], matches) {
        return Err(CliError::usage(
            "--model names a pretrained model, and --hidden_size and its like describe one with random weights; give one of \
             the two",
        ));
    }
    let recipe: Recipe = table.try_into().map_err(|error: toml::de::Error| {
        CliError::usage(format!("recipe {origin}: {}", error.to_string().trim().replace('\n', "; ")))
    })?;
    check::check(&recipe)?;
    Ok(recipe)
}

/// Flags, and what they take the place of in a recipe, because it would decide instead of them.
const DISPLACED: [(&str, &[&str]); 7] = [
    ("model.model_name_or_path", &["model.scratch"]),
    ("model.adapter", &["lora"]),
    ("data.dataset_name", &["data.train_file", "data.validation_file", "data.test_file"]),
    ("data.test_file", &["data.validation_file"]),
    ("data.test_split_name", &["data.validation_file", "data.test_file"]),
    ("train.num_train_epochs", &["train.max_steps"]),
    ("train.warmup_ratio", &["train.warmup_steps"]),
];

/// Removes what would decide instead of a flag.
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
    let text = matches.get_one::<String>(&key.flag).expect("a flag that is there has a value");
    let value = flag_value(key, text)?;
    match (key.path.as_str(), value.as_float()) {
        // transformers 5: a share of the run, where earlier versions had warmup_ratio
        ("train.warmup_steps", Some(share)) if share < 1.0 => {
            insert(table, "train.warmup_steps", Value::Integer(0));
            insert(table, "train.warmup_ratio", Value::Float(share));
        }
        _ => insert(table, &key.path, value),
    }
    Ok(())
}

/// Refuses a key that is none, and says which was probably meant.
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
