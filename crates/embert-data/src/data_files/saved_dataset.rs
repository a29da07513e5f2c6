//! Directories that `save_to_disk` of `datasets` wrote: a `Dataset`, or a `DatasetDict` with one folder for each split.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::DataError;

/// Returns the splits of a directory, each with its folder; `None` if `save_to_disk` did not write it.
///
/// A `Dataset` has one split, `train` unless it was loaded as another.
pub(super) fn splits(directory: &Path) -> Result<Option<Vec<(String, PathBuf)>>, DataError> {
    if let Some(dict) = document(&directory.join("dataset_dict.json"))? {
        let names = dict["splits"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let names = names.filter(|name| is_file_name(name));
        return Ok(Some(names.map(|name| (name.to_owned(), directory.join(name))).collect()));
    }
    let Some(state) = document(&directory.join("state.json"))? else { return Ok(None) };
    if !state["_data_files"].is_array() {
        return Ok(None);
    }
    Ok(Some(vec![(split_of(&state), directory.to_path_buf())]))
}

/// Returns the split of a directory with one `Dataset`; `None` for any other directory.
pub(super) fn split(directory: &Path) -> Result<Option<String>, DataError> {
    Ok(match splits(directory)?.as_deref() {
        Some([(split, folder)]) if folder == directory => Some(split.clone()),
        _ => None,
    })
}

/// Returns the split without its part: `train` for `train[:1000]` and for `train+train`.
fn split_of(state: &Value) -> String {
    let split = state["_split"].as_str().and_then(|split| split.split(['[', '+']).next());
    split.map(str::trim).filter(|split| !split.is_empty()).unwrap_or("train").to_owned()
}

/// Returns the files of all splits, in order; `None` if `save_to_disk` did not write the directory.
pub(super) fn files(directory: &Path) -> Result<Option<Vec<PathBuf>>, DataError> {
    let Some(splits) = splits(directory)? else { return Ok(None) };
    let files = splits.iter().map(|(_, folder)| files_of_split(folder)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(files.concat()))
}

/// Returns the files that `state.json` lists.
pub(super) fn files_of_split(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let path = folder.join("state.json");
    let missing = || DataError::Corrupt { path: path.clone(), reason: "it lists no data files".to_owned() };
    let state = document(&path)?.ok_or_else(missing)?;
    let files = state["_data_files"].as_array().ok_or_else(missing)?.iter();
    let file = |file: &Value| {
        let name = file["filename"].as_str().filter(|name| is_file_name(name)).ok_or_else(missing)?;
        Ok(folder.join(name))
    };
    files.map(file).collect()
}

/// Returns true for the name of a file in the same directory.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && Path::new(name).file_name().is_some_and(|last| last == name)
}

/// Returns a JSON document; `None` if the file does not exist.
fn document(path: &Path) -> Result<Option<Value>, DataError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read(path).map_err(DataError::io(path))?;
    let corrupt =
        |error: serde_json::Error| DataError::Corrupt { path: path.to_path_buf(), reason: error.to_string() };
    serde_json::from_slice(&text).map(Some).map_err(corrupt)
}
