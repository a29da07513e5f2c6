//! Label encoding: maps the values of the label columns to ids or numbers.
//!
//! The ids come from the labels of a model, else from the label map or the label names in the files, else from the
//! sorted values.

mod classes;
mod column_labels;
mod flags;
mod inferred;
mod known;
mod label_type;
mod mapped;
mod missing;
mod multi_hot;
mod problem;
mod raw;
mod regression;

use std::path::Path;

use crate::dataset::{Dataset, Example, Labels, Target};
use crate::error::DataError;
use crate::formatting::{listed, quoted};
use crate::note::{DataNote, LoadedDataset};
use crate::options::ReadOptions;
use crate::problem_type::ProblemType;
use label_type::LabelValue;
use missing::MissingLabels;
pub(crate) use missing::is_not_available;
use multi_hot::MultiHot;
pub(crate) use raw::{RawFile, RawLabel, RawRow, RawTarget};

/// Encodes the labels of each row: by the `known` labels of a model, or else by the content of the files.
pub(crate) fn encode_labels(
    path: &Path,
    mut files: Vec<RawFile>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<LoadedDataset, DataError> {
    let mut notes = files.iter_mut().flat_map(|file| std::mem::take(&mut file.notes)).collect::<Vec<_>>();
    let names = shared_names(&files)?;
    let (problem_type, note) = problem::decide(&files, options, known);
    notes.extend(note);
    let has_names = names.is_some() || options.label_map.is_some();
    let missing = MissingLabels { problem_type, options, has_names, known };
    notes.extend(missing.remove(path, &mut files)?);
    notes.extend(files.iter().filter_map(|file| {
        let texts = file.rows.iter().map(|row| (row.text.as_str(), row.text_pair.as_deref(), row.row));
        DataNote::about_blank_texts(&file.path, texts)
    }));
    let encoded = match problem_type {
        ProblemType::SingleLabelClassification => classes::encode_single(path, files, names, options, known)?,
        ProblemType::MultiLabelClassification if options.columns.labels.len() > 1 => {
            flags::encode_flags(path, files, options, known)?
        }
        ProblemType::MultiLabelClassification => match MultiHot::of(&files) {
            Some(lists) => lists.encode(files, names, options, known)?,
            None => classes::encode_lists(path, files, names, options, known)?,
        },
        ProblemType::Regression => regression::encode_numbers(path, files, options, known)?,
    };
    notes.extend(encoded.notes);
    let dataset = Dataset { examples: encoded.examples, labels: encoded.labels, problem_type };
    Ok(LoadedDataset { dataset, notes })
}

/// The rows with their targets, the labels, and notes about them.
struct Encoded {
    examples: Vec<Example>,
    labels: Labels,
    notes: Vec<DataNote>,
}

/// Returns an example for each row, with the target that `target` returns.
fn examples(
    files: Vec<RawFile>,
    mut target: impl FnMut(&Path, &RawRow) -> Result<Target, DataError>,
) -> Result<Vec<Example>, DataError> {
    let mut examples = Vec::with_capacity(files.iter().map(|file| file.rows.len()).sum());
    for RawFile { path, rows, .. } in files {
        for row in rows {
            let target = target(&path, &row)?;
            examples.push(Example { text: row.text, text_pair: row.text_pair, target });
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
