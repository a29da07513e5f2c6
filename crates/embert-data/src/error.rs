//! Everything that can be wrong with a data set, said with the file, the row and the column.

use std::io;
use std::path::{Path, PathBuf};

use crate::columns::{ColumnRole, near};
use crate::wording::{did_you_mean, quoted};

/// Why a data set could not be read, split or written.
///
/// Rows are counted from 1 and leave a header out; in a `.jsonl` file they are its lines.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A directory holds no file of the split that was asked for.
    #[error(
        "{path}: no {split}-*.parquet here or one level down, and no {split}/pos and {split}/neg; found {found}"
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
    #[error("{path}: both {first} and {second} hold the split {split}; give one of these directories")]
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
        "{path}: split {split} has {found} parquet files, but their names say {expected}; fetch it again"
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
    #[error("{path}: unknown extension {extension:?}; supported are .parquet, .csv, .tsv, .jsonl{advice}")]
    UnknownExtension {
        /// The file.
        path: PathBuf,
        /// Its extension, empty when it has none.
        extension: String,
        /// What to do, after a semicolon; empty for extensions that are not common.
        advice: &'static str,
    },
    /// The content is of another format than the extension says.
    #[error("{path}: expected {expected}, found {found}")]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format that the extension promises.
        expected: &'static str,
        /// What the first bytes say it is, and what to do about it.
        found: &'static str,
    },
    /// The file has no rows.
    #[error("{path}: no rows")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{path}: damaged or cut short: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// A parquet file, in a build without them.
    #[error("{path}: this build of embert-data has no parquet (its feature of that name)")]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A parquet file is compressed in a way that is not supported.
    #[error(
        "{path}: compressed with {codec}, which is not supported; write it with snappy, gzip, zstd, lz4 or no compression"
    )]
    Codec {
        /// The file.
        path: PathBuf,
        /// The name of the codec.
        codec: String,
    },
    /// The rows take far more memory than the file.
    #[error(
        "{path}: its rows take more than {limit} bytes, far more than the file itself, as in a decompression bomb; if you \
         trust the file, write it without compression, or as jsonl"
    )]
    Expands {
        /// The file.
        path: PathBuf,
        /// The most bytes that the rows of this file may take.
        limit: u64,
    },
    /// A row cannot be taken apart into columns.
    #[error("{path}: row {row}: {reason}")]
    MalformedRow {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// What the parser said.
        reason: String,
    },
    /// A quote opens a cell of a csv or tsv file and is never closed.
    #[error("{path}: row {row}: a quote opens a cell and none closes it")]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
    },
    /// A row of a csv or tsv file has more or fewer cells than the header.
    #[error(
        "{path}: row {row}: {cells} cells where the header has {expected}; is a text with the separator in it not \
         quoted?{}", span(*lines)
    )]
    CellCount {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The number of its cells.
        cells: u64,
        /// The number of names in the header.
        expected: u64,
        /// The number of lines that quotes make the row span.
        lines: usize,
    },
    /// A column is not there.
    #[error("{path}: no column {column:?}; its columns are {found}{}", did_you_mean(near))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column that was asked for.
        column: String,
        /// The columns that are there.
        found: String,
        /// What the column is for.
        role: ColumnRole,
        /// The column that is probably meant.
        near: Option<String>,
    },
    /// The header is one cell that contains another separator.
    #[error("{path}: the header {header:?} is one column, separated by {found}; {advice}")]
    OtherSeparator {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
        /// The separator.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Two columns have the name that was asked for.
    #[error("{path}: two columns are called {column:?}; rename one")]
    ColumnTwice {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A row of a `.jsonl` file lacks a key.
    #[error("{path}: row {row} has no {column:?}; its keys are {found}{}", did_you_mean(near))]
    MissingKey {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The key that was asked for.
        column: String,
        /// The keys that are there.
        found: String,
        /// What the column is for.
        role: ColumnRole,
        /// The key that is probably meant.
        near: Option<String>,
    },
    /// A column holds values of a type that cannot be used.
    #[error("{path}: column {column:?} holds {found}, expected {expected}")]
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
    #[error("{path}: row {row}, column {column:?}: found {found}, expected {expected}")]
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
    /// A text is null.
    #[error("{path}: row {row}, column {column:?} is null")]
    Null {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A text is not UTF-8.
    #[error("{path}: row {row}, column {column:?} is not UTF-8")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
    },
    /// A label is none of those known.
    #[error("{path}: row {row}: unknown label {label}; known are {known}")]
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
    /// A row has no label.
    #[error("{path}: row {row} is unlabelled (column {column:?} is {found})")]
    Unlabelled {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label column.
        column: String,
        /// The value.
        found: String,
    },
    /// No row has a label.
    #[error("{path}: none of the {rows} rows has a label; choose another split or file")]
    AllUnlabelled {
        /// The data set.
        path: PathBuf,
        /// The number of rows.
        rows: usize,
    },
    /// Labels are of one type in one row and of another type in another row.
    #[error("{path}: row {row}: label {label} mixes {kinds} in one data set")]
    MixedLabels {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label that differs from those before it.
        label: String,
        /// Both types, such as `text and integers`.
        kinds: String,
    },
    /// A number that is no integer.
    #[error(
        "{path}: row {row}: label {label} is a fraction; classes are integers or names, and regression is not supported"
    )]
    FractionalLabel {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The number.
        label: String,
    },
    /// Most rows have a label of their own.
    #[error("{path}: {labels} labels in {rows} rows; is this the label column?")]
    NotLabels {
        /// The data set.
        path: PathBuf,
        /// The number of labels.
        labels: usize,
        /// The number of rows.
        rows: usize,
    },
    /// More names of labels than anybody trains.
    #[error("{path}: {found} labels are more than {limit}; is this the label column?")]
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
    #[error("{path}: labels are {found}, but {expected} in the files before")]
    LabelNamesDiffer {
        /// The file.
        path: PathBuf,
        /// Its label names.
        found: String,
        /// The label names of the files before it.
        expected: String,
    },
    /// The rows are of one class only, so there is nothing to learn.
    #[error("train: all {rows} rows have the label {label:?}, and a classifier needs two")]
    OneClass {
        /// The number of rows.
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
    /// No row can be held out: each class keeps one to train on.
    #[error("cannot hold out {held_out} of {rows} rows: each class keeps at least one to train on; add rows")]
    CannotSplit {
        /// The number of rows to hold out.
        held_out: usize,
        /// The number of all rows.
        rows: usize,
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
        role: ColumnRole,
        found: impl Iterator<Item = &'a str> + Clone,
    ) -> Self {
        let near = near(role, column, found.clone()).map(str::to_owned);
        let (path, column) = (path.to_path_buf(), column.to_owned());
        Self::MissingColumn { path, column, found: quoted(found), role, near }
    }

    pub(crate) fn null(path: &Path, row: usize, column: &str) -> Self {
        Self::Null { path: path.to_path_buf(), row, column: column.to_owned() }
    }

    pub(crate) fn not_utf8(path: &Path, row: usize, column: &str) -> Self {
        Self::NotUtf8 { path: path.to_path_buf(), row, column: column.to_owned() }
    }
}

fn span(lines: usize) -> String {
    if lines == 1 { String::new() } else { format!(" quotes make this row span {lines} lines") }
}
