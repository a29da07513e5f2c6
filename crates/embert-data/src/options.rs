//! Options of reading: columns, quotes, and rows without a label.

use std::fmt;
use std::str::FromStr;

use crate::columns::Columns;

/// Options for reading files of texts and labels.
///
/// The default reads the columns `text` and `label`, with quotes as in spreadsheets; a row without a label is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The names of the columns.
    pub columns: Columns,
    /// The meaning of quotes in csv and tsv files.
    pub csv_quoting: CsvQuoting,
    /// Drops rows without a label. If false, the first row without a label is an error.
    pub drop_unlabelled: bool,
}

/// The meaning of quotes in csv and tsv files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsvQuoting {
    /// A quote at the start of a cell starts a quoted cell, as in RFC 4180 and in spreadsheets.
    #[default]
    Minimal,
    /// A quote is an ordinary character.
    None,
}

impl fmt::Display for CsvQuoting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minimal => "minimal",
            Self::None => "none",
        })
    }
}

/// The error is a message: `unknown csv_quoting "all"; expected minimal or none`.
impl FromStr for CsvQuoting {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "minimal" => Ok(Self::Minimal),
            "none" => Ok(Self::None),
            _ => Err(format!("unknown csv_quoting {name:?}; expected minimal or none")),
        }
    }
}
