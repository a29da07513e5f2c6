//! Options of reading: columns, labels, quotes, and rows without a label.

use std::fmt;
use std::str::FromStr;

use crate::columns::Columns;
use crate::input::TextEncoding;
use crate::label_map::LabelMap;
use crate::problem_type::ProblemType;

/// Options for reading files of texts and labels.
///
/// The default reads the columns `text` and `label`, with quotes as in spreadsheets; a row without a label is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// The names of the columns.
    pub columns: Columns,
    /// Joins the texts of several text columns. Default: a space.
    pub text_column_delimiter: String,
    /// What the labels are. `None`: decided from the values.
    ///
    /// Read evaluation rows with the problem type of the training rows: a few rows can look different.
    pub problem_type: Option<ProblemType>,
    /// Separates the labels in a text of several labels, such as `,` in `joy,love`.
    pub label_separator: Option<String>,
    /// Names for the values of the label column.
    pub label_map: Option<LabelMap>,
    /// Drops rows without a label. If false, the first row without a label is an error.
    pub drop_unlabelled: bool,
    /// The meaning of quotes in csv and tsv files.
    pub csv_quoting: CsvQuoting,
    /// The separator of csv and tsv files. If `None`, the extension decides: a comma in csv, a tab in tsv.
    pub csv_separator: Option<u8>,
    /// Drops the rows of tsv files with more or fewer cells than the header. If false, the first one is an error.
    ///
    /// The original files of QQP have such rows; fairseq and transformers skip them, too.
    pub tsv_drop_uneven_rows: bool,
    /// The names of the columns of csv and tsv files without a header. If `None`, the first row is the header.
    pub csv_column_names: Option<Vec<String>>,
    /// The encoding of csv, tsv, json, jsonl and txt files without a byte order mark. If `None`, it is UTF-8.
    pub csv_encoding: Option<TextEncoding>,
    /// The key of a json file whose value is the list of rows.
    pub json_field: Option<String>,
    /// The configuration of a dataset directory: the name of a subdirectory.
    pub dataset_config_name: Option<String>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            columns: Columns::default(),
            text_column_delimiter: " ".to_owned(),
            problem_type: None,
            label_separator: None,
            label_map: None,
            drop_unlabelled: false,
            csv_quoting: CsvQuoting::default(),
            csv_separator: None,
            tsv_drop_uneven_rows: false,
            csv_column_names: None,
            csv_encoding: None,
            json_field: None,
            dataset_config_name: None,
        }
    }
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
