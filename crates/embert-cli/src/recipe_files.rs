//! From a recipe's name or file, `--set` and flags to the resolved recipe; keys are strict.

use std::fs;
use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use embert_inference::{ModelDirectory, recipe_path};
use toml::{Table, Value};

use crate::boolean::is_boolean;
use crate::error::CliError;
use crate::keys::{self, Key, Kind};
use crate::recipe::Recipe;
use crate::recipe_check;

/// The recipes that are compiled in, by name.
const RECIPES: &[(&str, &str)] = &[
    ("quickstart", include_str!("../recipes/quickstart.toml")),
    (IMDB, include_str!("../recipes/imdb.toml")),
    ("imdb-bert-500", include_str!("../recipes/imdb-bert-500.toml")),
    ("imdb-bert-2k", include_str!("../recipes/imdb-bert-2k.toml")),
    ("imdb-bert-full-1k", include_str!("../recipes/imdb-bert-full-1k.toml")),
    ("imdb-bert-full-1k-sane", include_str!("../recipes/imdb-bert-full-1k-sane.toml")),
    ("imdb-bert-lora-1k", include_str!("../recipes/imdb-bert-lora-1k.toml")),
    ("imdb-distilbert-lora", include_str!("../recipes/imdb-distilbert-lora.toml")),
    ("synthetic-bert", include_str!("../recipes/synthetic-bert.toml")),
];

/// The most dots in the path of a key: a pattern of `lora` may name a module.
const DEEPEST: usize = 16;

/// The recipe of a run that names neither a recipe nor data.
const IMDB: &str = "imdb";

/// The names of the recipes that are compiled in.
pub(crate) fn names() -> String {
    RECIPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

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

/// Returns true if flags name the data to train on: then no recipe for other data is used.
fn names_data(matches: &ArgMatches) -> bool {
    names_any(&["data.dataset_name", "data.train_file"], matches)
}

/// Returns true if the command line says what to train: by a recipe, or by data.
pub(crate) fn names_run(matches: &ArgMatches) -> bool {
    matches.contains_id("recipe") || names_data(matches)
}

/// Returns true if flags name rows to evaluate on.
pub(crate) fn names_rows(matches: &ArgMatches) -> bool {
    names_any(&["data.dataset_name", "data.validation_file", "data.test_file"], matches)
}

/// Returns true if the command line, or the recipe that it names, says which model to train.
pub(crate) fn names_model(matches: &ArgMatches) -> Result<bool, CliError> {
    let in_recipe = match matches.get_one::<String>("recipe") {
        Some(name) => read(name)?.contains_key("model"),
        None => !names_data(matches),
    };
    let in_flags = keys::all().any(|key| key.path.starts_with("model.") && is_given(key, matches));
    Ok(in_recipe || in_flags || set_paths(matches).any(|path| path.starts_with("model.")))
}

fn names_any(keys: &[&str], matches: &ArgMatches) -> bool {
    set_paths(matches).any(|path| keys.contains(&path))
        || keys::all().any(|key| keys.contains(&&*key.path) && is_given(key, matches))
}

/// Returns true if the user gave this key: by a flag, by `--set` or in a recipe file.
pub(crate) fn is_asked_for(key: &str, matches: &ArgMatches) -> bool {
    names_any(&[key], matches) || is_in_file(key, matches).unwrap_or(false)
}

/// Returns whether the recipe file has this key; `None` without such a file.
fn is_in_file(key: &str, matches: &ArgMatches) -> Option<bool> {
    let name = matches.try_get_one::<String>("recipe").ok().flatten()?;
    let is_built_in = RECIPES.iter().any(|(known, _)| known == name);
    let table = read(name).ok().filter(|_| !is_built_in)?;
    let (section, key) = key.split_once('.')?;
    Some(table.get(section)?.get(key).is_some())
}

/// The keys that `--set` assigns.
fn set_paths(matches: &ArgMatches) -> impl Iterator<Item = &str> {
    let set = matches.try_get_many::<String>("set").ok().flatten().into_iter().flatten();
    set.filter_map(|assignment| assignment.split_once('=')).map(|(path, _)| path.trim())
}

/// What a recipe says about the rows of its own data only.
const ROWS: [&str; 9] = [
    "dataset_name",
    "train_file",
    "validation_file",
    "test_file",
    "train_split_name",
    "test_split_name",
    "max_train_samples",
    "max_eval_samples",
    "shuffle_seed",
];

/// How a model reads texts: as the recipe in its directory says, or else as much as its positions allow, cut where its
/// tokenizer says. Flags win; if they name rows, nothing is left of the recipe's own.
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

/// Returns true if the recipe of the model's run lies in its directory.
pub(crate) fn has_recipe(directory: &Path) -> bool {
    recipe_path(directory).is_file()
}

fn of_bare_model(model: &ModelDirectory) -> Table {
    let mut table = Table::new();
    let positions = model.config.encoder.max_position_embeddings;
    insert(&mut table, "data.max_seq_length", Value::Integer(positions as i64));
    insert(&mut table, "data.truncation_side", Value::String(model.tokenizer.truncation().to_string()));
    table
}

/// How the model in `directory` reads texts, as a recipe of its own; `None` if no recipe lies there.
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

/// What a recipe says about reading any texts.
const READING: [&str; 7] = [
    "text_column_name",
    "label_column_name",
    "pos_label",
    "clean",
    "max_seq_length",
    "truncation_side",
    "csv_quoting",
];

/// A recipe with `--set` and flags over it. `origin` is named where a key of its own is wrong.
fn overridden(mut table: Table, origin: &str, matches: &ArgMatches) -> Result<Recipe, CliError> {
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
    recipe_check::check(&recipe)?;
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

fn remove(table: &mut Table, path: &str) {
    match path.split_once('.') {
        None => drop(table.remove(path)),
        Some((section, key)) => {
            table.get_mut(section).and_then(Value::as_table_mut).and_then(|section| section.remove(key));
        }
    }
}

fn read(name: &str) -> Result<Table, CliError> {
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

fn is_given(key: &Key, matches: &ArgMatches) -> bool {
    matches.try_contains_id(&key.flag).unwrap_or(false)
        && matches.value_source(&key.flag) == Some(ValueSource::CommandLine)
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
    let value = value(key, text)?;
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

fn value(key: &Key, text: &str) -> Result<Value, CliError> {
    let wrong = |expected| Err(CliError::usage(format!("--{} is {text}; it must be {expected}", key.flag)));
    match (key.kind, literal(text)) {
        (Kind::Text | Kind::Means(_), _) => Ok(Value::String(text.into())),
        (Kind::Number, number @ (Value::Integer(_) | Value::Float(_))) => Ok(number),
        (Kind::Number, _) => wrong("a number"),
        (Kind::Switch, _) => {
            is_boolean(text).map_or_else(|| wrong("true or false"), |value| Ok(value.into()))
        }
        (Kind::List, _) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::Array(items.map(|item| Value::String(item.into())).collect()))
        }
        (Kind::Names, _) if is_pattern(text) => Ok(Value::String(text.into())),
        (Kind::Names, _) => {
            Ok(Value::Array(text.split(',').map(|name| Value::String(name.trim().into())).collect()))
        }
        (Kind::Pairs, _) => pairs(text).map_or_else(|| wrong("NAME=NUMBER,NAME=NUMBER"), Ok),
        (Kind::WordOrNumbers, _) if text.contains(',') => Ok(literal(&format!("[{text}]"))),
        (Kind::WordOrNumbers, word) => Ok(word),
    }
}

/// Whether this means modules by a regular expression, not by the ends of their names.
fn is_pattern(text: &str) -> bool {
    text.eq_ignore_ascii_case("all-linear") || text.contains(['*', '+', '?', '(', '[', '\\', '|', '^', '$'])
}

/// `name=number` as a table, in the order of the text.
fn pairs(text: &str) -> Option<Value> {
    let pairs = text.split(',').map(|pair| {
        let (name, number) = pair.rsplit_once('=')?;
        let number = literal(number.trim());
        let is_number = number.is_integer() || number.is_float();
        is_number.then(|| (name.trim().to_string(), number))
    });
    pairs.collect::<Option<Table>>().map(Value::Table)
}

/// A TOML value, or text that is none as a string.
fn literal(text: &str) -> Value {
    let line = format!("value = {text}");
    let parsed = line.parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.into(), value);
        }
        Some((section, rest)) => {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if !section.is_table() {
                *section = Value::Table(Table::new());
            }
            insert(section.as_table_mut().expect("made one above"), rest, value);
        }
    }
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

/// The paths of all values; a table that is the value of one key is one.
pub(crate) fn leaves(table: &Table, prefix: &str, paths: &mut Vec<String>) {
    let is_key = |path: String| keys::all().any(|key| key.path == path);
    for (name, value) in table {
        match value {
            Value::Table(inner) if !is_key(format!("{prefix}{name}")) => {
                leaves(inner, &format!("{prefix}{name}."), paths)
            }
            _ => paths.push(format!("{prefix}{name}")),
        }
    }
}
