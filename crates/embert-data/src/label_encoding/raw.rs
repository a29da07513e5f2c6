//! Rows as read from a file, before label encoding.

use std::path::PathBuf;

use crate::note::DataNote;

/// The rows of one file, before label encoding.
pub(crate) struct RawFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<RawRow>,
    /// The label names by id, if the file stores them.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) notes: Vec<DataNote>,
}

pub(crate) struct RawRow {
    /// Number of the row, from 1, for messages.
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) label: RawLabel,
}

/// A value of the label column.
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
}

/// Converts a number without a fraction to an integer. `None` above 2^53, where floats skip integers.
pub(super) fn exact_integer(number: f64) -> Option<i128> {
    const MAX: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= MAX).then_some(number as i128)
}
