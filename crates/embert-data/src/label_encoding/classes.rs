//! Encodes labels of one column as ids: one label per row, or a list of labels.

use std::path::Path;

use super::inferred::InferredLabels;
use super::known::KnownLabels;
use super::label_type::{LabelType, LabelValue};
use super::mapped::map_labels;
use super::raw::{RawFile, RawLabel, RawRow, RawTarget};
use super::{Encoded, examples, unknown_label};
use crate::dataset::{Labels, Target};
use crate::error::DataError;
use crate::options::ReadOptions;
use crate::problem_type::ProblemType;

/// Encodes one label per row.
pub(super) fn encode_single(
    path: &Path,
    mut files: Vec<RawFile>,
    names: Option<Vec<String>>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<Encoded, DataError> {
    for_each_row(&mut files, |path, row| require_one_label(path, row, &options.columns.labels))?;
    if known.is_none() && options.problem_type.is_some() {
        fractions_to_names(&mut files);
    }
    encode(path, files, names, options, known, |ids| Target::Label(ids[0]))
}

/// Encodes a list of labels per row. A single value is a list of one label, and an empty text is an empty list.
pub(super) fn encode_lists(
    path: &Path,
    mut files: Vec<RawFile>,
    names: Option<Vec<String>>,
    options: &ReadOptions,
    known: Option<&Labels>,
) -> Result<Encoded, DataError> {
    for_each_row(&mut files, |_, row| {
        if matches!(&row.target, RawTarget::Value(value) if value.text().is_empty()) {
            row.target = RawTarget::List(vec![]);
        }
        Ok(())
    })?;
    let encoded = encode(path, files, names, options, known, |mut ids| {
        ids.sort_unstable();
        ids.dedup();
        Target::Labels(ids)
    })?;
    match encoded.labels.is_empty() {
        true => Err(DataError::AllUnlabelled { path: path.to_path_buf(), rows: encoded.examples.len() }),
        false => Ok(encoded),
    }
}

/// Maps the labels to ids: by the known labels, else by the names in the map or the files, else by sorted values.
fn encode(
    path: &Path,
    mut files: Vec<RawFile>,
    mut names: Option<Vec<String>>,
    options: &ReadOptions,
    known: Option<&Labels>,
    target: impl Fn(Vec<usize>) -> Target,
) -> Result<Encoded, DataError> {
    let mut labels_of_files = names.clone().map(Labels::new).transpose()?;
    if let Some(map) = &options.label_map {
        map_labels(&mut files, map, names.as_deref())?;
        (names, labels_of_files) = (None, Some(map.labels()));
    }
    let label_type = LabelType::of(&files)?;
    let ids = |label: &RawLabel, id: &mut dyn FnMut(&LabelValue<'_>) -> Option<usize>| {
        let value = label_type.value(label);
        id(&value).ok_or(value.to_string())
    };
    let of_row =
        |path: &Path, row: &RawRow, labels: &Labels, id: &mut dyn FnMut(&LabelValue<'_>) -> Option<usize>| {
            let of_label = |label| {
                ids(label, id).map_err(|_| unknown_label(path, row.row, &label_type.value(label), labels))
            };
            Ok(target(row.target.labels().iter().map(of_label).collect::<Result<_, _>>()?))
        };
    match known.or(labels_of_files.as_ref()) {
        Some(labels) => {
            let mut lookup = KnownLabels::new(labels, names.as_deref());
            let of_row = |path: &Path, row: &RawRow| of_row(path, row, labels, &mut |value| lookup.id(value));
            let examples = examples(files, of_row)?;
            Ok(Encoded { examples, labels: labels.clone(), notes: lookup.notes(path) })
        }
        None => {
            let inferred = InferredLabels::of(&files, label_type);
            let notes = inferred.check_count(path, &files)?.into_iter().collect();
            let labels = inferred.labels()?;
            let of_row =
                |path: &Path, row: &RawRow| of_row(path, row, &labels, &mut |value| inferred.id(value));
            Ok(Encoded { examples: examples(files, of_row)?, labels, notes })
        }
    }
}

/// Replaces a list of one label by the label; an error for other lists.
fn require_one_label(path: &Path, row: &mut RawRow, columns: &[String]) -> Result<(), DataError> {
    let count = match &mut row.target {
        RawTarget::Value(_) => return Ok(()),
        RawTarget::List(labels) if labels.len() == 1 => {
            row.target = RawTarget::Value(labels.remove(0));
            return Ok(());
        }
        RawTarget::List(labels) | RawTarget::Columns(labels) => labels.len(),
    };
    Err(DataError::SeveralLabels {
        path: path.to_path_buf(),
        row: row.row,
        count,
        column: columns.join(", "),
        problem_type: ProblemType::SingleLabelClassification,
    })
}

/// Converts numbers to names if one of them has a fraction: the caller asked for classes.
fn fractions_to_names(files: &mut [RawFile]) {
    let labels = || files.iter().flat_map(RawFile::labels);
    let are_numbers = labels().all(|label| !matches!(label, RawLabel::Text(_)) && label.number().is_some());
    let has_fraction = labels().any(|label| label.number().is_some_and(|number| number.fract() != 0.0));
    if !are_numbers || !has_fraction {
        return;
    }
    for label in files.iter_mut().flat_map(|file| &mut file.rows).flat_map(|row| row.target.labels_mut()) {
        if let Some(number) = label.number() {
            *label = RawLabel::Text(number.to_string());
        }
    }
}

fn for_each_row(
    files: &mut [RawFile],
    mut visit: impl FnMut(&Path, &mut RawRow) -> Result<(), DataError>,
) -> Result<(), DataError> {
    files.iter_mut().try_for_each(|file| file.rows.iter_mut().try_for_each(|row| visit(&file.path, row)))
}
