//! From the values of a label column to ids: by known labels, by the file's own names, or by sorting.

mod known;
mod missing;
mod occurring;
mod raw;
mod value;

use std::path::Path;

use crate::error::DataError;
use crate::note::{DataNote, Read};
use crate::options::ReadOptions;
use crate::review::{Dataset, Example, Labels};
use crate::wording::{listed, quoted};
use known::KnownLabels;
use missing::remove_unlabelled;
use occurring::OccurringLabels;
pub(crate) use raw::{RawFile, RawLabel, RawRow};
use value::{ColumnKind, Value};

/// Gives every row its label id: by `known` labels if there are any, else by what the files hold.
pub(crate) fn assign_ids(
    path: &Path,
    mut files: Vec<RawFile>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<Read, DataError> {
    let mut notes = files.iter_mut().flat_map(|file| std::mem::take(&mut file.notes)).collect::<Vec<_>>();
    let names = shared_names(&files)?;
    notes.extend(remove_unlabelled(path, &mut files, options, names.is_some(), known)?);
    notes.extend(files.iter().filter_map(|file| {
        DataNote::of_blank_texts(&file.path, file.rows.iter().map(|row| (&row.text, row.row)))
    }));
    let kind = ColumnKind::of(&files)?;
    let own = match (known, &names) {
        (None, Some(names)) => Some(Labels::new(names.clone())?),
        _ => None,
    };
    let dataset = match known.or(own.as_ref()) {
        Some(labels) => {
            let mut lookup = KnownLabels::new(labels, names.as_deref());
            let examples = examples(files, kind, labels, |value| lookup.id(value))?;
            notes.extend(lookup.notes(path));
            Dataset { examples, labels: labels.clone() }
        }
        None => {
            let occurring = OccurringLabels::of(&files, kind);
            notes.extend(occurring.check_count(path, files.iter().map(|file| file.rows.len()).sum())?);
            let labels = occurring.labels()?;
            Dataset { examples: examples(files, kind, &labels, |value| occurring.id(value))?, labels }
        }
    };
    Ok(Read { dataset, notes })
}

fn examples(
    files: Vec<RawFile>,
    kind: ColumnKind,
    labels: &Labels,
    mut id: impl FnMut(&Value<'_>) -> Option<usize>,
) -> Result<Vec<Example>, DataError> {
    let mut examples = Vec::with_capacity(files.iter().map(|file| file.rows.len()).sum());
    for RawFile { path, rows, .. } in files {
        for RawRow { row, text, label } in rows {
            let value = kind.value(&label);
            let label = id(&value).ok_or_else(|| rejected(&path, row, &value, labels))?;
            examples.push(Example { text, label });
        }
    }
    Ok(examples)
}

fn rejected(path: &Path, row: usize, value: &Value<'_>, labels: &Labels) -> DataError {
    let (path, label) = (path.to_path_buf(), value.to_string());
    if matches!(value, Value::Fraction { .. }) {
        return DataError::FractionalLabel { path, row, label };
    }
    let known = listed((0..).zip(labels.names()).map(|(id, name)| format!("{name:?} ({id})")));
    DataError::UnknownLabel { path, row, label, known }
}

/// The label names that the files agree on, if they have any.
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
