//! Notes: facts about a dataset that was read without an error, but that the user should know.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::dataset::Dataset;

/// A dataset that was read from files, with notes for the user.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedDataset {
    /// The rows.
    pub dataset: Dataset,
    /// Notes for the user, one line each.
    pub notes: Vec<DataNote>,
}

/// A note for the user about a dataset. Rows are counted as in [`DataError`](crate::DataError).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataNote {
    /// Rows without a label were dropped.
    UnlabelledDropped {
        /// The dataset.
        path: PathBuf,
        /// The number of dropped rows.
        dropped: usize,
        /// The number of all rows.
        rows: usize,
    },
    /// Values match the known labels only if letter case is ignored.
    LetterCase {
        /// The dataset.
        path: PathBuf,
        /// Each value and its label.
        pairs: String,
    },
    /// Integers or booleans were read as indices of the known labels.
    Indices {
        /// The dataset.
        path: PathBuf,
        /// Each index and its label.
        pairs: String,
    },
    /// The label names of the file are all unknown, so they were matched by index.
    NamesByIndex {
        /// The dataset.
        path: PathBuf,
        /// The label names of the file.
        found: String,
        /// The known labels.
        known: String,
    },
    /// Labels are numbers, and at least one is not a class, so the problem type is regression.
    Regression {
        /// The file.
        path: PathBuf,
        /// The row of the first such number.
        row: usize,
        /// Its column.
        column: String,
        /// The number.
        value: String,
    },
    /// There are many labels with few rows each.
    ManyLabels {
        /// The dataset.
        path: PathBuf,
        /// The number of labels.
        labels: usize,
        /// The number of rows.
        rows: usize,
    },
    /// Quoted cells of a csv or tsv file contain line breaks.
    MultilineRows {
        /// The file.
        path: PathBuf,
        /// The number of rows that span several lines.
        rows: usize,
        /// The row with the most lines.
        row: usize,
        /// The number of its lines.
        lines: usize,
    },
    /// Rows with more or fewer cells than the header were dropped.
    UnevenDropped {
        /// The file.
        path: PathBuf,
        /// The number of dropped rows.
        dropped: usize,
        /// The number of all rows.
        rows: usize,
        /// The number of names in the header.
        cells: usize,
    },
    /// Lists of 0 and 1 were read as a flag for each label, not as lists of ids.
    MultiHot {
        /// The file.
        path: PathBuf,
        /// The first row whose list repeats a value.
        row: usize,
        /// The label column.
        column: String,
        /// The labels, in the order of the flags.
        labels: String,
    },
    /// Files of a directory are skipped, because the other files have another format.
    OtherFormats {
        /// The directory.
        path: PathBuf,
        /// The format that is read.
        format: &'static str,
        /// The skipped files.
        skipped: String,
    },
    /// Texts are empty or only whitespace.
    BlankTexts {
        /// The file.
        path: PathBuf,
        /// The number of blank texts.
        blank: usize,
        /// The number of all rows.
        rows: usize,
        /// The first row with a blank text.
        row: usize,
    },
    /// Labels of multi-label data are in no row.
    LabelsWithoutRows {
        /// The use of the rows: `train` or `eval`.
        split: &'static str,
        /// The number of rows.
        rows: usize,
        /// The labels.
        labels: String,
    },
    /// A target of a regression is the same number in all rows.
    ConstantTarget {
        /// The use of the rows: `train` or `eval`.
        split: &'static str,
        /// The number of rows.
        rows: usize,
        /// The name of the target.
        target: String,
        /// The number.
        value: String,
    },
    /// All evaluation rows have the same label.
    OneClass {
        /// The number of rows.
        rows: usize,
        /// The label.
        label: String,
    },
}

impl DataNote {
    /// Returns a note if some texts are blank. Each text comes with the second text of its pair and its row.
    pub(crate) fn about_blank_texts<'a>(
        path: &Path,
        texts: impl Iterator<Item = (&'a str, Option<&'a str>, usize)> + Clone,
    ) -> Option<Self> {
        let is_blank = |text: &str| text.trim().is_empty();
        let mut blank = texts.clone().filter(|(text, pair, _)| is_blank(text) || pair.is_some_and(is_blank));
        let (.., row) = blank.next()?;
        let (blank, rows) = (1 + blank.count(), texts.count());
        Some(Self::BlankTexts { path: path.to_path_buf(), blank, rows, row })
    }
}

impl fmt::Display for DataNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnlabelledDropped { path, dropped, rows } => {
                let path = path.display();
                write!(f, "{path}: dropped {dropped} of {rows} rows, which have no label")
            }
            Self::LetterCase { path, pairs } => {
                write!(f, "{}: letter case is ignored in labels: {pairs}", path.display())
            }
            Self::Indices { path, pairs } => {
                write!(f, "{}: labels are read as indices of the model's labels: {pairs}", path.display())
            }
            Self::NamesByIndex { path, found, known } => write!(
                f,
                "{}: the label names {found} differ from the model's; they are matched by index with {known}",
                path.display()
            ),
            Self::Regression { path, row, column, value } => write!(
                f,
                "{}: the labels are read as numbers to predict (regression), because row {row} has {value} in column \
                 {column:?}; problem_type single_label_classification reads them as classes",
                path.display()
            ),
            Self::ManyLabels { path, labels, rows } => {
                write!(f, "{}: {labels} labels in {rows} rows; is this the label column?", path.display())
            }
            Self::MultilineRows { path, rows, row, lines } => write!(
                f,
                "{}: quotes make {rows} {} span several lines; the longest is row {row} with {lines} lines",
                path.display(),
                if *rows == 1 { "row" } else { "rows" }
            ),
            Self::UnevenDropped { path, dropped, rows, cells } => {
                let path = path.display();
                write!(f, "{path}: dropped {dropped} of {rows} rows, which do not have {cells} cells")
            }
            Self::MultiHot { path, row, column, labels } => write!(
                f,
                "{}: the lists in column {column:?} are read as a flag of 0 or 1 for each label ({labels}), because row \
                 {row} repeats a value",
                path.display()
            ),
            Self::OtherFormats { path, format, skipped } => write!(
                f,
                "{}: only the {format} files are read; skipped {skipped}; write all files in one format, or give a \
                 pattern such as {}, which reads all formats as one split",
                path.display(),
                path.join("*").display()
            ),
            Self::BlankTexts { path, blank, rows, row } => write!(
                f,
                "{}: {blank} of {rows} texts are empty or only whitespace; the first is row {row}",
                path.display()
            ),
            Self::LabelsWithoutRows { split, rows, labels } => {
                write!(f, "{split}: none of the {rows} rows has the labels {labels}")
            }
            Self::ConstantTarget { split, rows, target, value } => {
                write!(f, "{split}: all {rows} rows have the number {value} for {target}")
            }
            Self::OneClass { rows, label } => write!(
                f,
                "all {rows} rows to evaluate on have the label {label:?}; the metrics say nothing about other labels"
            ),
        }
    }
}
