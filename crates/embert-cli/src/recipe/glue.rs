//! `task_name`: sets the data set, the columns, the labels and the metric of a GLUE task, as `run_glue.py` does.

use std::path::{Path, PathBuf};

use embert_data::{Columns, CsvQuoting, GlueTask};
use toml::{Table, Value};

use super::table::{insert, remove};
use crate::error::CliError;

/// Sets the keys of `data.task_name` that the table does not have.
pub(super) fn apply_task(table: &mut Table) -> Result<(), CliError> {
    let Some(name) = value(table, "data.task_name").and_then(Value::as_str) else { return Ok(()) };
    let task: GlueTask = name.parse().map_err(|error| CliError::usage(format!("--task_name: {error}")))?;
    let split = value(table, "data.test_split_name").and_then(Value::as_str);
    let split = split.unwrap_or(task.validation_splits()[0]).to_owned();
    if let Some(folder) = tsv_folder(table, task) {
        set_tsv_files(table, task, &folder, &split);
    }
    set_columns(table, &task.columns());
    insert_missing(table, "data.dataset_name", GlueTask::DATASET);
    insert_missing(table, "data.dataset_config_name", task.name());
    insert_missing(table, "data.test_split_name", &split);
    insert_missing(table, "data.problem_type", &task.problem_type().to_string());
    label_map(task).iter().for_each(|map| insert_missing(table, "data.label_map", map));
    insert_missing(table, "train.metric_for_best_model", task.best_metric());
    Ok(())
}

/// Returns the folder of the original tsv files in the data set's directory, if it has one.
fn tsv_folder(table: &Table, task: GlueTask) -> Option<PathBuf> {
    let dataset = Path::new(value(table, "data.dataset_name")?.as_str()?);
    let folders = [dataset.join(task.tsv_folder()), dataset.to_path_buf()];
    folders.into_iter().find(|folder| folder.join("train.tsv").is_file())
}

/// Names the original tsv files of the training split and of `split`, and their columns.
fn set_tsv_files(table: &mut Table, task: GlueTask, folder: &Path, split: &str) {
    let file = |split| task.tsv_file(split).map(|name| folder.join(name).display().to_string());
    remove(table, "data.dataset_name");
    file("train").iter().for_each(|file| insert_missing(table, "data.train_file", file));
    file(split).iter().for_each(|file| insert_missing(table, "data.validation_file", file));
    set_columns(table, &task.tsv_columns());
    insert_missing(table, "data.csv_quoting", &CsvQuoting::None.to_string());
    if let (Some(header), None) = (task.tsv_header(), value(table, "data.csv_column_names")) {
        let names = header.iter().map(|&name| Value::String(name.into()));
        insert(table, "data.csv_column_names", Value::Array(names.collect()));
    }
}

fn set_columns(table: &mut Table, columns: &Columns) {
    insert_missing(table, "data.text_column_name", &columns.texts.join(","));
    columns.text_pair.iter().for_each(|pair| insert_missing(table, "data.text_pair_column_name", pair));
    insert_missing(table, "data.label_column_name", &columns.labels.join(","));
}

/// Returns the names of the ids in the data set's files: `0=not_equivalent,1=equivalent`.
fn label_map(task: GlueTask) -> Option<String> {
    let names = task.label_names().iter().enumerate();
    let pairs = names.map(|(id, name)| format!("{id}={name}")).collect::<Vec<_>>();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

fn insert_missing(table: &mut Table, key: &str, new: &str) {
    if value(table, key).is_none() {
        insert(table, key, Value::String(new.to_owned()));
    }
}

fn value<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (section, key) = path.split_once('.')?;
    table.get(section)?.get(key)
}
