//! Rows as read from a file, before label encoding.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use crate::note::DataNote;
use crate::number::{Number, exact_integer, parse_number};

/// The rows of one file, before label encoding.
pub(crate) struct RawFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<RawRow>,
    /// The label names by id, if the file stores them.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) notes: Vec<DataNote>,
}

impl RawFile {
    /// Returns the labels of all rows.
    pub(super) fn labels(&self) -> impl Iterator<Item = &RawLabel> {
        self.rows.iter().flat_map(|row| row.target.labels())
    }
}

pub(crate) struct RawRow {
    /// Number of the row, from 1, for messages.
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) text_pair: Option<String>,
    pub(crate) target: RawTarget,
}

/// The content of the label columns in one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawTarget {
    /// The value of the only label column.
    Value(RawLabel),
    /// The values of a list in the only label column; none is missing.
    List(Vec<RawLabel>),
    /// The value of each of several label columns.
    Columns(Vec<RawLabel>),
}

impl RawTarget {
    pub(super) fn labels(&self) -> &[RawLabel] {
        match self {
            Self::Value(label) => std::slice::from_ref(label),
            Self::List(labels) | Self::Columns(labels) => labels,
        }
    }

    pub(super) fn labels_mut(&mut self) -> &mut [RawLabel] {
        match self {
            Self::Value(label) => std::slice::from_mut(label),
            Self::List(labels) | Self::Columns(labels) => labels,
        }
    }
}

/// A value of a label column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawLabel {
    /// Null or NaN.
    Missing,
    Integer(i128),
    /// A number that is not an integer.
    Fraction(f64),
    Boolean(bool),
    Text(String),
    /// Trimmed text of a format without types: a name, a number or a boolean.
    Cell(String),
}

impl RawLabel {
    /// Converts a floating-point number. It is an integer if it has no fraction.
    pub(crate) fn from_float(number: f64) -> Self {
        if number.is_nan() {
            return Self::Missing;
        }
        exact_integer(number).map_or(Self::Fraction(number), Self::Integer)
    }

    /// Returns the number, or the number that the text is. `None` for names and booleans.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Fraction(number) => Some(*number),
            Self::Text(text) | Self::Cell(text) => match parse_number(text.trim())? {
                Number::Integer(number) => Some(number as f64),
                Number::Fraction(number) => Some(number),
            },
            Self::Missing | Self::Boolean(_) => None,
        }
    }

    /// Returns the text of a label, without surrounding whitespace.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Missing => "".into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Fraction(number) => number.to_string().into(),
            Self::Boolean(value) => value.to_string().into(),
            Self::Text(text) | Self::Cell(text) => text.trim().into(),
        }
    }
}

/// Writes the value as in a message: text in quotes.
impl fmt::Display for RawLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("null"),
            Self::Text(text) | Self::Cell(text) if text.trim().is_empty() => f.write_str("empty"),
            Self::Text(text) | Self::Cell(text) => write!(f, "{text:?}"),
            Self::Integer(_) | Self::Fraction(_) | Self::Boolean(_) => f.write_str(&self.text()),
        }
    }
}
