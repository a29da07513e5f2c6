//! Decides the problem type of a dataset from its labels, as `run_classification.py` of transformers does.

use super::raw::{RawFile, RawLabel, RawTarget};
use crate::dataset::Labels;
use crate::note::DataNote;
use crate::options::ReadOptions;
use crate::problem_type::ProblemType;

/// Returns the problem type of the options, or else of the labels, and a note about regression.
///
/// Several label columns, and lists, are multi-label; columns of other numbers than 0 and 1 are regression. A column of
/// numbers is regression if one of them has a fraction, unless the labels are known.
pub(super) fn decide(
    files: &[RawFile],
    options: &ReadOptions,
    known: Option<&Labels>,
) -> (ProblemType, Option<DataNote>) {
    if let Some(problem_type) = options.problem_type {
        return (problem_type, None);
    }
    let targets = || files.iter().flat_map(|file| &file.rows).map(|row| &row.target);
    let regression = || first_fraction(files, options).map(|note| (ProblemType::Regression, Some(note)));
    if options.columns.labels.len() > 1 {
        let is_flag = |label: &RawLabel| is_null(label) || label.text() == "-1" || label.flag().is_some();
        let are_flags = targets().flat_map(RawTarget::labels).all(is_flag);
        let are_numbers =
            targets().flat_map(RawTarget::labels).all(|label| is_null(label) || is_number(label));
        return match are_numbers && !are_flags {
            true => regression().unwrap_or((ProblemType::Regression, first_number(files, options))),
            false => (ProblemType::MultiLabelClassification, None),
        };
    }
    if targets().any(|target| matches!(target, RawTarget::List(_))) {
        return (ProblemType::MultiLabelClassification, None);
    }
    let has_names =
        known.is_some() || options.label_map.is_some() || files.iter().any(|it| it.names.is_some());
    let are_numbers =
        || targets().flat_map(RawTarget::labels).all(|label| is_null(label) || is_number(label));
    match has_names || !are_numbers() {
        true => (ProblemType::SingleLabelClassification, None),
        false => regression().unwrap_or((ProblemType::SingleLabelClassification, None)),
    }
}

/// Returns a note about the first label with a fraction.
fn first_fraction(files: &[RawFile], options: &ReadOptions) -> Option<DataNote> {
    first(files, options, |label| {
        label.number().is_some_and(|number| number.is_finite() && number.fract() != 0.0)
    })
}

/// Returns a note about the first label that is neither 0 nor 1.
fn first_number(files: &[RawFile], options: &ReadOptions) -> Option<DataNote> {
    first(files, options, |label| !is_null(label) && label.flag().is_none())
}

fn first(files: &[RawFile], options: &ReadOptions, is_found: impl Fn(&RawLabel) -> bool) -> Option<DataNote> {
    files.iter().find_map(|file| {
        file.rows.iter().find_map(|row| {
            let labels = row.target.labels();
            let index = labels.iter().position(&is_found)?;
            Some(DataNote::Regression {
                path: file.path.clone(),
                row: row.row,
                column: options.columns.labels.get(index)?.clone(),
                value: labels[index].text().into_owned(),
            })
        })
    })
}

/// Returns true for a number, or for a csv cell that is one. Text of other formats is not a number.
fn is_number(label: &RawLabel) -> bool {
    !matches!(label, RawLabel::Text(_)) && label.number().is_some()
}

fn is_null(label: &RawLabel) -> bool {
    match label {
        RawLabel::Missing => true,
        RawLabel::Text(text) | RawLabel::Cell(text) => {
            text.trim().is_empty() || super::missing::is_not_available(text)
        }
        RawLabel::Integer(_) | RawLabel::Fraction(_) | RawLabel::Boolean(_) => false,
    }
}
