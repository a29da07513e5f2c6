//! Recipes: the settings of a run, from TOML files, `--set` and flags.

mod check;
mod files;
mod flag_value;
mod given;
mod glue;
#[cfg(test)]
mod hostile;
pub(crate) mod keys;
mod model_type;
mod of_model;
mod resolve;
mod sections;
mod table;

pub(crate) use check::check_columns;
pub(crate) use files::names;
pub(crate) use given::{is_asked_for, names_model, names_rows, names_run};
pub(crate) use of_model::{has_recipe, names_own_rows, of_model, reading_of};
pub(crate) use resolve::{resolve, resolve_over};
pub(crate) use sections::{DataSection, ModelSection, OnSaveError, Recipe};
pub(crate) use table::leaves;
