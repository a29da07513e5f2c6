//! What a reader noticed: the data was read, and may not mean what the user thinks.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::review::Dataset;

/// A data set, and what the reader noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The rows.
    pub dataset: Dataset,
    /// What to tell the user, one line each.
    pub notes: Vec<DataNote>,
}

/// Something to tell the user about a data set that was read. Rows are counted as in [`DataError`](crate::DataError).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataNote {
    /// Rows without a label were left out.
    UnlabelledDropped {
        /// The data set.
        path: PathBuf,
        /// The number of rows left out.
        dropped: usize,
        /// The number of all rows.
        rows: usize,
    },
    /// Labels differ from the known ones in letter case.
    Spelling {
        /// The data set.
        path: PathBuf,
        /// Each spelling and the label it was read as.
        pairs: String,
    },
    /// Integers or booleans were read as indices of known labels.
    Indices {
        /// The data set.
        path: PathBuf,
        /// Each index and its label.
        pairs: String,
    },
    /// None of the file's label names is known; they were matched by index.
    NamesByIndex {
        /// The data set.
        path: PathBuf,
        /// The file's names.
        found: String,
        /// The known labels.
        known: String,
    },
    /// Many labels with few rows each.
    ManyLabels {
        /// The data set.
        path: PathBuf,
        /// The number of labels.
        labels: usize,
        /// The number of rows.
        rows: usize,
    },
    /// Quoted cells of a csv or tsv file contain line breaks.
    SpansLines {
        /// The file.
        path: PathBuf,
        /// The number of such rows.
        rows: usize,
        /// The longest of them.
        row: usize,
        /// The number of its lines.
        lines: usize,
    },
    /// Texts are empty or only white space.
    BlankTexts {
        /// The file.
        path: PathBuf,
        /// The number of such rows.
        blank: usize,
        /// The number of all rows.
        rows: usize,
        /// The first such row.
        row: usize,
    },
    /// All rows to evaluate on have the same label.
    OneClass {
        /// The number of rows.
        rows: usize,
        /// The label.
        label: String,
    },
}

impl DataNote {
    /// The note about blank texts of a file, each text with its row.
    pub(crate) fn of_blank_texts<'a>(
        path: &Path,
        texts: impl Iterator<Item = (&'a String, usize)> + Clone,
    ) -> Option<Self> {
        let mut blank = texts.clone().filter(|(text, _)| text.trim().is_empty());
        let (_, row) = blank.next()?;
        let (blank, rows) = (1 + blank.count(), texts.count());
        Some(Self::BlankTexts { path: path.to_path_buf(), blank, rows, row })
    }
}

impl fmt::Display for DataNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlabelledDropped { path, dropped, rows } => {
                let path = path.display();
                write!(f, "{path}: {dropped} of {rows} rows have no label and are left out")
            }
            Self::Spelling { path, pairs } => {
                write!(f, "{}: labels are matched without regard to letter case: {pairs}", path.display())
            }
            Self::Indices { path, pairs } => {
                write!(f, "{}: labels are read as indices of the model's labels: {pairs}", path.display())
            }
            Self::NamesByIndex { path, found, known } => write!(
                f,
                "{}: its label names {found} are not the model's; they are matched by index with {known}",
                path.display()
            ),
            Self::ManyLabels { path, labels, rows } => {
                write!(f, "{}: {labels} labels in {rows} rows; is this the label column?", path.display())
            }
            Self::SpansLines { path, rows, row, lines } => write!(
                f,
                "{}: quotes make {rows} {} span several lines; the longest is row {row} with {lines} lines",
                path.display(),
                if *rows == 1 { "row" } else { "rows" }
            ),
            Self::BlankTexts { path, blank, rows, row } => write!(
                f,
                "{}: {blank} of {rows} texts are empty or only white space; the first is row {row}",
                path.display()
            ),
            Self::OneClass { rows, label } => write!(
                f,
                "all {rows} rows to evaluate on have the label {label:?}; the figures say nothing about other labels"
            ),
        }
    }
}
