//! `task_name`: sets the data set, the columns, the labels and the metric of a GLUE task, as `run_glue.py` does.

use embert_data::GlueTask;
use toml::{Table, Value};

use super::table::insert;
use crate::error::CliError;

/// Sets the keys of `data.task_name` that the table does not have.
pub(super) fn apply_task(table: &mut Table) -> Result<(), CliError> {
    let Some(name) = value(table, "data.task_name").and_then(Value::as_str) else { return Ok(()) };
    let task: GlueTask = name.parse().map_err(|error| CliError::usage(format!("--task_name: {error}")))?;
    let columns = task.columns();
    let mut keys = vec![
        ("data.dataset_name", GlueTask::DATASET.to_owned()),
        ("data.dataset_config_name", task.to_string()),
        ("data.text_column_name", columns.texts.join(",")),
        ("data.test_split_name", task.validation_splits()[0].to_owned()),
        ("data.problem_type", task.problem_type().to_string()),
    ];
    keys.extend(columns.text_pair.map(|pair| ("data.text_pair_column_name", pair)));
    keys.extend(label_map(task).map(|map| ("data.label_map", map)));
    keys.push(("train.metric_for_best_model", task.best_metric().to_owned()));
    let keys = keys.into_iter().map(|(key, value)| (key, Value::String(value)));
    for (key, value) in keys {
        insert_missing(table, key, value);
    }
    Ok(())
}

/// Returns the names of the ids in the data set's files: `0=not_equivalent,1=equivalent`.
fn label_map(task: GlueTask) -> Option<String> {
    let names = task.label_names().iter().enumerate();
    let pairs = names.map(|(id, name)| format!("{id}={name}")).collect::<Vec<_>>();
    (!pairs.is_empty()).then(|| pairs.join(","))
}

fn insert_missing(table: &mut Table, key: &str, new: Value) {
    if value(table, key).is_none() {
        insert(table, key, new);
    }
}

fn value<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    let (section, key) = path.split_once('.')?;
    table.get(section)?.get(key)
}
