//! The rows of a file before their labels have ids.

use std::path::PathBuf;

use crate::note::DataNote;

/// The rows of one file, before their labels have ids.
pub(crate) struct RawFile {
    pub(crate) path: PathBuf,
    pub(crate) rows: Vec<RawRow>,
    /// The names of the label ids, if the file has them.
    pub(crate) names: Option<Vec<String>>,
    pub(crate) notes: Vec<DataNote>,
}

pub(crate) struct RawRow {
    /// Counted from 1, for messages.
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) label: RawLabel,
}

/// A value of the label column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RawLabel {
    /// Null, or a number that is NaN.
    Missing,
    Integer(i128),
    /// A number that is no integer.
    Fraction(f64),
    Boolean(bool),
    Text(String),
    /// Text of a format without types, trimmed: a name, a number or a boolean.
    Cell(String),
}

impl RawLabel {
    /// The label for a floating-point number: an integer if it has no fraction.
    pub(crate) fn of_float(number: f64) -> Self {
        match number {
            _ if number.is_nan() => Self::Missing,
            _ => whole(number).map_or(Self::Fraction(number), Self::Integer),
        }
    }
}

/// The integer that a number is, if it has no fraction and is not too large to be exact.
pub(super) fn whole(number: f64) -> Option<i128> {
    const MOST: f64 = 9_007_199_254_740_992.0; // 2^53: larger floats skip integers
    (number.fract() == 0.0 && number.abs() <= MOST).then_some(number as i128)
}
