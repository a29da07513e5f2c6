//! The type of a label column: numbers, booleans or names. In csv and tsv, all cells together decide the type.

use std::borrow::Cow;
use std::fmt;

use super::raw::{RawFile, RawLabel};
use crate::error::DataError;
use crate::number::{Number, parse_number};

/// The type of all labels of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelType {
    Numbers,
    Booleans,
    Names,
}

/// A label in the type of its column. `written` is its text, if the file stores it as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum LabelValue<'a> {
    Integer { number: i128, written: Option<&'a str> },
    Fraction { written: Cow<'a, str> },
    Boolean { value: bool, written: Option<&'a str> },
    Name(&'a str),
}

impl LabelType {
    /// Returns the type of the label column of these files.
    pub(super) fn of(files: &[RawFile]) -> Result<Self, DataError> {
        require_one_type(files)?;
        let labels = || files.iter().flat_map(RawFile::labels);
        Ok(if labels().all(|label| parse_boolean(label).is_some()) {
            Self::Booleans
        } else if labels().all(is_number) {
            Self::Numbers
        } else {
            Self::Names
        })
    }

    /// Converts a label of a column of this type.
    pub(super) fn value(self, label: &RawLabel) -> LabelValue<'_> {
        match (self, label) {
            (_, RawLabel::Integer(number)) => LabelValue::Integer { number: *number, written: None },
            (_, RawLabel::Fraction(number)) => LabelValue::Fraction { written: number.to_string().into() },
            (_, RawLabel::Boolean(value)) => LabelValue::Boolean { value: *value, written: None },
            (_, RawLabel::Missing) => LabelValue::Name(""),
            (Self::Numbers, RawLabel::Text(text) | RawLabel::Cell(text)) => match parse_number(text) {
                Some(Number::Integer(number)) => LabelValue::Integer { number, written: Some(text) },
                _ => LabelValue::Fraction { written: text.into() },
            },
            (Self::Booleans, RawLabel::Text(text) | RawLabel::Cell(text)) => {
                LabelValue::Boolean { value: text.trim().eq_ignore_ascii_case("true"), written: Some(text) }
            }
            (Self::Names, RawLabel::Text(text) | RawLabel::Cell(text)) => LabelValue::Name(text),
        }
    }
}

/// Writes names in quotes, other values without.
impl fmt::Display for LabelValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { number, .. } => write!(f, "{number}"),
            Self::Fraction { written } => f.write_str(written),
            Self::Boolean { value, .. } => write!(f, "{value}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

fn is_number(label: &RawLabel) -> bool {
    match label {
        RawLabel::Cell(cell) => parse_number(cell).is_some(),
        RawLabel::Integer(_) | RawLabel::Fraction(_) => true,
        RawLabel::Missing | RawLabel::Boolean(_) | RawLabel::Text(_) => false,
    }
}

fn parse_boolean(label: &RawLabel) -> Option<bool> {
    match label {
        RawLabel::Boolean(value) => Some(*value),
        RawLabel::Text(text) | RawLabel::Cell(text) => text.trim().to_ascii_lowercase().parse().ok(),
        RawLabel::Missing | RawLabel::Integer(_) | RawLabel::Fraction(_) => None,
    }
}

/// Returns an error if the labels have different types, such as text and integers.
fn require_one_type(files: &[RawFile]) -> Result<(), DataError> {
    let mut first = None;
    for file in files {
        for row in &file.rows {
            for label in row.target.labels() {
                let (rank, name) = type_of(label);
                let (expected, before) = *first.get_or_insert((rank, name));
                if rank != expected {
                    let (left, right) = if rank < expected { (name, before) } else { (before, name) };
                    let label = LabelType::Names.value(label).to_string();
                    let types = format!("{left} and {right}");
                    return Err(DataError::MixedLabels {
                        path: file.path.clone(),
                        row: row.row,
                        label,
                        types,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Returns the rank and the name of a label's type. The message about mixed types lists the lower rank first.
fn type_of(label: &RawLabel) -> (u8, &'static str) {
    match label {
        RawLabel::Text(_) | RawLabel::Cell(_) | RawLabel::Missing => (0, "text"),
        RawLabel::Boolean(_) => (1, "booleans"),
        RawLabel::Integer(_) | RawLabel::Fraction(_) => (2, "integers"),
    }
}
