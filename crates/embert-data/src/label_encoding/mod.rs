//! Label encoding: maps the values of a label column to ids.
//!
//! The ids come from the labels of a model, else from the label names in the files, else from the sorted values.

mod inferred;
mod known;
mod label_type;
mod missing;
mod raw;

use std::path::Path;

use crate::dataset::{Dataset, Example, Labels};
use crate::error::DataError;
use crate::formatting::{listed, quoted};
use crate::note::{DataNote, LoadedDataset};
use crate::options::ReadOptions;
use inferred::InferredLabels;
use known::KnownLabels;
use label_type::{LabelType, LabelValue};
use missing::remove_unlabelled;
pub(crate) use raw::{RawFile, RawLabel, RawRow};

/// Assigns a label id to each row: by the `known` labels of a model, or else by the content of the files.
pub(crate) fn encode_labels(
    path: &Path,
    mut files: Vec<RawFile>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<LoadedDataset, DataError> {
    let mut notes = files.iter_mut().flat_map(|file| std::mem::take(&mut file.notes)).collect::<Vec<_>>();
    let names = shared_names(&files)?;
    notes.extend(remove_unlabelled(path, &mut files, options, names.is_some(), known)?);
    notes.extend(files.iter().filter_map(|file| {
        DataNote::about_blank_texts(&file.path, file.rows.iter().map(|row| (&row.text, row.row)))
    }));
    let label_type = LabelType::of(&files)?;
    let labels_of_files = match (known, &names) {
        (None, Some(names)) => Some(Labels::new(names.clone())?),
        _ => None,
    };
    let dataset = match known.or(labels_of_files.as_ref()) {
        Some(labels) => {
            let mut lookup = KnownLabels::new(labels, names.as_deref());
            let examples = examples(files, label_type, labels, |value| lookup.id(value))?;
            notes.extend(lookup.notes(path));
            Dataset { examples, labels: labels.clone() }
        }
        None => {
            let inferred = InferredLabels::of(&files, label_type);
            notes.extend(inferred.check_count(path, files.iter().map(|file| file.rows.len()).sum())?);
            let labels = inferred.labels()?;
            Dataset { examples: examples(files, label_type, &labels, |value| inferred.id(value))?, labels }
        }
    };
    Ok(LoadedDataset { dataset, notes })
}

fn examples(
    files: Vec<RawFile>,
    label_type: LabelType,
    labels: &Labels,
    mut id: impl FnMut(&LabelValue<'_>) -> Option<usize>,
) -> Result<Vec<Example>, DataError> {
    let mut examples = Vec::with_capacity(files.iter().map(|file| file.rows.len()).sum());
    for RawFile { path, rows, .. } in files {
        for RawRow { row, text, label } in rows {
            let value = label_type.value(&label);
            let label = id(&value).ok_or_else(|| unknown_label(&path, row, &value, labels))?;
            examples.push(Example { text, label });
        }
    }
    Ok(examples)
}

fn unknown_label(path: &Path, row: usize, value: &LabelValue<'_>, labels: &Labels) -> DataError {
    let (path, label) = (path.to_path_buf(), value.to_string());
    if matches!(value, LabelValue::Fraction { .. }) {
        return DataError::FractionalLabel { path, row, label };
    }
    let known = listed((0..).zip(labels.names()).map(|(id, name)| format!("{name:?} ({id})")));
    DataError::UnknownLabel { path, row, label, known }
}

/// Returns the label names of the files; an error if the files differ.
fn shared_names(files: &[RawFile]) -> Result<Option<Vec<String>>, DataError> {
    let mut named = files.iter().filter_map(|file| Some((&file.path, file.names.as_ref()?)));
    let Some((_, expected)) = named.next() else { return Ok(None) };
    match named.find(|(_, names)| *names != expected) {
        None => Ok(Some(expected.clone())),
        Some((path, found)) => Err(DataError::LabelNamesDiffer {
            path: path.clone(),
            found: quoted(found.iter().map(String::as_str)),
            expected: quoted(expected.iter().map(String::as_str)),
        }),
    }
}
