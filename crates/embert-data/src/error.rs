//! Everything that can be wrong with a data set, said with the file, the row and the column.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data set could not be read, split or written.
///
/// Rows are counted from 1 and leave a header out; in a `.jsonl` file they are its lines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A directory holds no file of the split that was asked for.
    #[error(
        "{path}: no {split}-*.parquet here or one level down, and no {split}/pos and {split}/neg; found {found}",
        path = path.display()
    )]
    NoSplit {
        /// The directory.
        path: PathBuf,
        /// The split that was asked for.
        split: String,
        /// The splits that are there, or the names of what is.
        found: String,
    },
    /// Two directories one level down both hold the split.
    #[error(
        "{path}: both {first} and {second} hold the split {split}; give one of these directories",
        path = path.display()
    )]
    TwoConfigurations {
        /// The directory.
        path: PathBuf,
        /// The split that was asked for.
        split: String,
        /// A directory that holds it.
        first: String,
        /// Another one.
        second: String,
    },
    /// Shards of a split are missing or too many, by the number in their names.
    #[error(
        "{path}: split {split} has {found} parquet files, but their names say {expected}; fetch it again",
        path = path.display()
    )]
    ShardCount {
        /// The directory.
        path: PathBuf,
        /// The split.
        split: String,
        /// How many files are there.
        found: usize,
        /// How many their names promise.
        expected: usize,
    },
    /// The extension says nothing about the format.
    #[error(
        "{path}: extension {extension:?} is none of .parquet, .csv, .tsv, .jsonl",
        path = path.display()
    )]
    UnknownExtension {
        /// The file.
        path: PathBuf,
        /// Its extension, empty when it has none.
        extension: String,
    },
    /// The content is of another format than the extension says.
    #[error("{path}: expected {expected}, found {found}", path = path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format that the extension promises.
        expected: &'static str,
        /// What the first bytes say it is, and what to do about it.
        found: &'static str,
    },
    /// The file has no rows.
    #[error("{path}: no rows", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{path}: damaged or cut short: {reason}", path = path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The rows take far more memory than the file.
    #[error(
        "{path}: its rows take more than {limit} bytes, far more than the file itself, as in a decompression bomb; if it \
         is none, write it without compression, or as jsonl",
        path = path.display()
    )]
    Expands {
        /// The file.
        path: PathBuf,
        /// The most bytes that the rows of this file may take.
        limit: u64,
    },
    /// A row cannot be taken apart into columns.
    #[error("{path}: row {row}: {reason}", path = path.display())]
    MalformedRow {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What the parser said.
        reason: String,
    },
    /// A column is not there.
    #[error("{path}: no column {column:?}; its columns are {found}", path = path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: String,
        /// The columns that are there.
        found: String,
    },
    /// Two columns have the name that was asked for.
    #[error("{path}: two columns are called {column:?}; rename one", path = path.display())]
    ColumnTwice {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A row of a `.jsonl` file lacks a key.
    #[error("{path}: row {row} has no {column:?}; its keys are {found}", path = path.display())]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The key that was asked for.
        column: String,
        /// The keys that are there.
        found: String,
    },
    /// A column holds values of a type that cannot be used.
    #[error(
        "{path}: column {column:?} holds {found}, expected {expected}",
        path = path.display()
    )]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The type that it has.
        found: String,
        /// The types that it may have.
        expected: &'static str,
    },
    /// A single value is of a type that cannot be used.
    #[error(
        "{path}: row {row}, column {column:?}: found {found}, expected {expected}",
        path = path.display()
    )]
    ValueType {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
        /// The value, or its type.
        found: String,
        /// The types that it may have.
        expected: &'static str,
    },
    /// A text or a label is null.
    #[error("{path}: row {row}, column {column:?} is null", path = path.display())]
    Null {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A text is not UTF-8.
    #[error("{path}: row {row}, column {column:?} is not UTF-8", path = path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A label is none of those known.
    #[error(
        "{path}: row {row}: unknown label {label}; known are {known}",
        path = path.display()
    )]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label: text in quotes, or an integer.
        label: String,
        /// The labels that are known, each with its id.
        known: String,
    },
    /// A row carries -1, the hub's mark for "not labelled".
    #[error(
        "{path}: row {row} is unlabelled (label -1, as all rows of IMDb's unsupervised split); choose a labelled split",
        path = path.display()
    )]
    Unlabelled {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
    },
    /// Labels are text in one row and integers in another.
    #[error(
        "{path}: row {row}: label {label} mixes text and integers in one data set",
        path = path.display()
    )]
    MixedLabels {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label that differs from those before it.
        label: String,
    },
    /// An integer label would mean more classes than anybody trains.
    #[error(
        "{path}: row {row}: label {label} is no class id (they count from 0 and stay below {limit}); is this the right column?",
        path = path.display()
    )]
    LabelTooLarge {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label.
        label: i64,
        /// The number of classes that are allowed.
        limit: usize,
    },
    /// More names of labels than anybody trains.
    #[error("{path}: {found} labels are more than {limit}; is this the right column?", path = path.display())]
    TooManyLabels {
        /// The first file.
        path: PathBuf,
        /// How many names there are.
        found: usize,
        /// The number of classes that are allowed.
        limit: usize,
    },
    /// Two labels share a name.
    #[error("label {name:?} is there twice")]
    DuplicateLabel {
        /// The name.
        name: String,
    },
    /// Shards of one split name their labels differently.
    #[error("{path}: labels are {found}, but {expected} in the files before", path = path.display())]
    LabelNamesDiffer {
        /// The file.
        path: PathBuf,
        /// Its label names.
        found: String,
        /// The label names of the files before it.
        expected: String,
    },
    /// The rows are of one class only, so there is nothing to learn.
    #[error(
        "{split}: all {rows} rows have the label {label:?}, and a classifier needs two: data sets like IMDb are sorted by label, \
         so their first rows are of one class; shuffle before taking a part (--max_{split}_samples N does), or check the split"
    )]
    OneClass {
        /// What the rows are for: `train` or `eval`.
        split: String,
        /// How many rows there are.
        rows: usize,
        /// The only label.
        label: String,
    },
    /// There are no rows.
    #[error("{split}: no rows")]
    NoRows {
        /// What the rows would be for: `train` or `eval`.
        split: String,
    },
    /// A stratified split would leave a class out of one part.
    #[error(
        "cannot hold out {held_out} of {rows} rows: none of the {class_rows} labelled {label:?} would be left to train on"
    )]
    CannotSplit {
        /// How many rows were to be held out.
        held_out: usize,
        /// How many there are.
        rows: usize,
        /// The class that would be gone.
        label: String,
        /// How many rows that class has.
        class_rows: usize,
    },
}

impl DataError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn missing_column<'a>(
        path: &Path,
        column: &str,
        found: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::MissingColumn { path: path.to_path_buf(), column: column.to_owned(), found: quoted(found) }
    }

    pub(crate) fn null(path: &Path, row: usize, column: &str) -> Self {
        Self::Null { path: path.to_path_buf(), row, column: column.to_owned() }
    }

    pub(crate) fn not_utf8(path: &Path, row: usize, column: &str) -> Self {
        Self::NotUtf8 { path: path.to_path_buf(), row, column: column.to_owned() }
    }
}

/// Names in quotes, separated by commas; a long list is cut.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    match names.len() {
        0 => "nothing".to_owned(),
        count if count > SHOWN => {
            format!("{} and {} more", names[..SHOWN].join(", "), count - SHOWN)
        }
        _ => names.join(", "),
    }
}
