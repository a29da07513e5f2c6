//! Errors of this crate. Each names the file and, where it applies, the row and the column.

use std::io;
use std::path::{Path, PathBuf};

use crate::columns::{ColumnRole, suggest_column};
use crate::formatting::{did_you_mean, quoted};
use crate::problem_type::ProblemType;

/// An error of reading, splitting or writing a dataset.
///
/// Rows are counted from 1, without the header. In a `.jsonl` file, the row is the line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// An input or output error.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A directory has no files of the split.
    #[error(
        "{path}: no split {split}: expected files or folders with this word in their names, such as {split}.csv; found \
         {found}"
    )]
    SplitNotFound {
        /// The directory.
        path: PathBuf,
        /// The requested split.
        split: String,
        /// The splits of the directory, or its files if it has none.
        found: String,
    },
    /// Two subdirectories both have files of the split.
    #[error(
        "{path}: both {first} and {second} contain the split {split}; pass one of these directories, or name it as the \
         configuration"
    )]
    AmbiguousSplit {
        /// The directory.
        path: PathBuf,
        /// The requested split.
        split: String,
        /// A subdirectory with the split.
        first: String,
        /// Another subdirectory with the split.
        second: String,
    },
    /// A folder next to `neg` and `pos` has texts, too.
    #[error(
        "{folder}: texts of a third class next to the folders neg and pos, which are read as the two classes of aclImdb; \
         move the folder away, or write all texts and labels to a .jsonl file"
    )]
    ThirdClass {
        /// The folder.
        folder: PathBuf,
    },
    /// The number of shards differs from the number in their names.
    #[error("{path}: split {split} has {found} files, but their names say {expected}; download it again")]
    ShardCount {
        /// The directory.
        path: PathBuf,
        /// The split.
        split: String,
        /// The number of files.
        found: usize,
        /// The number in their names.
        expected: usize,
    },
    /// The extension names no supported format.
    #[error("{path}: unknown extension {extension:?}; supported are {supported}{advice}")]
    UnknownExtension {
        /// The file.
        path: PathBuf,
        /// Its extension; empty if it has none.
        extension: String,
        /// The supported extensions.
        supported: &'static str,
        /// Advice that starts with a semicolon; empty for rare extensions.
        advice: &'static str,
    },
    /// The format of the content differs from the extension.
    #[error("{path}: expected {expected}, found {found}")]
    WrongFormat {
        /// The file.
        path: PathBuf,
        /// The format of the extension.
        expected: &'static str,
        /// The format of the content, and advice for the user.
        found: &'static str,
    },
    /// A pipe, a socket or a device instead of a file.
    #[error("{path}: this is {found}, but a file is read more than once; write its content to a file first")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// The kind of the path, such as `a pipe`.
        found: &'static str,
    },
    /// The file has no rows.
    #[error("{path}: no rows")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is corrupt.
    #[error("{path}: damaged or truncated: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The error of the decoder.
        reason: String,
    },
    /// A parquet file, in a build without the feature `parquet`.
    #[error("{path}: this build cannot read or write parquet; enable the feature parquet of embert-data")]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// The compression codec of a parquet file is not supported.
    #[error(
        "{path}: compressed with {codec}, which is not supported; write it with snappy, gzip, zstd, lz4, brotli or no compression"
    )]
    UnsupportedCodec {
        /// The file.
        path: PathBuf,
        /// The name of the codec.
        codec: String,
    },
    /// The rows need far more memory than the file has bytes.
    #[error(
        "{path}: the rows need more than {limit} bytes of memory, far more than the file, as in a decompression \
         bomb; if you trust the file, write it without compression, or as jsonl"
    )]
    DecompressionBomb {
        /// The file.
        path: PathBuf,
        /// The maximum number of bytes for the rows of this file.
        limit: u64,
    },
    /// A row cannot be parsed.
    #[error("{path}: row {row}: {reason}")]
    MalformedRow {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The error of the parser.
        reason: String,
    },
    /// A quoted cell of a csv or tsv file has no closing quote.
    #[error("{path}: row {row}: a quoted cell has no closing quote")]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
    },
    /// A row of a csv or tsv file has more or fewer cells than the header.
    #[error(
        "{path}: row {row}: found {cells} cells, but the header has {expected}; put quotes around texts that \
         contain the separator{}", span(*lines)
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
        /// The number of lines that the row spans.
        lines: usize,
    },
    /// A column does not exist.
    #[error("{path}: no column {column:?}; its columns are {found}{}", did_you_mean(suggestion))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The requested column.
        column: String,
        /// The columns of the file.
        found: String,
        /// The role of the column.
        role: ColumnRole,
        /// The column that the caller probably means.
        suggestion: Option<String>,
    },
    /// The header is one cell, which contains another separator.
    #[error("{path}: the header {header:?} is separated by {found}; {advice}")]
    WrongSeparator {
        /// The file.
        path: PathBuf,
        /// The header.
        header: String,
        /// The separator.
        found: &'static str,
        /// Advice for the user.
        advice: &'static str,
        /// The separator as a byte.
        separator: u8,
    },
    /// A csv or tsv file has no column of a name, and its first row looks like data.
    #[error("{path}: no column {column:?}; the first row looks like data, not like a header: {cell:?}")]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// The requested column.
        column: String,
        /// A cell of the first row.
        cell: String,
    },
    /// The given column names are more or fewer than the cells of a row.
    #[error("{path}: row {row}: found {cells} cells, but {names} column names are given")]
    ColumnNameCount {
        /// The file.
        path: PathBuf,
        /// The number of names.
        names: usize,
        /// The row, from 1.
        row: usize,
        /// The number of its cells.
        cells: usize,
    },
    /// Two columns have the requested name.
    #[error("{path}: two columns are called {column:?}; rename one")]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A column has a type that is not supported.
    #[error("{path}: column {column:?} holds {found}, expected {expected}")]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The supported types.
        expected: &'static str,
    },
    /// A value has a type that is not supported.
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
        /// The supported types.
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
    #[error("{path}: row {row}, column {column:?} is not UTF-8{}", looks_like(guess))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The column.
        column: String,
        /// The encoding that the file probably has.
        guess: Option<String>,
    },
    /// A line of a text file cannot be decoded.
    #[error("{path}: {}the text is not {encoding}{}", at_row(*row), looks_like(guess))]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// The row, from 1; 0 is the header.
        row: usize,
        /// The encoding of the options, or UTF-8.
        encoding: String,
        /// The encoding that the file probably has.
        guess: Option<String>,
    },
    /// The text of a file is UTF-16 without a byte order mark.
    #[error(
        "{path}: the text looks like {guess} without a byte order mark; name its encoding, or save it as UTF-8"
    )]
    UndeclaredEncoding {
        /// The file.
        path: PathBuf,
        /// The encoding that the file probably has.
        guess: String,
    },
    /// A zip archive has no table, or more than one.
    #[error("{path}: a zip archive must contain one table; found {found}; unpack it")]
    ZipMembers {
        /// The file.
        path: PathBuf,
        /// The files in the archive.
        found: String,
    },
    /// A JSON document does not have a list of objects.
    #[error("{path}: {reason}")]
    JsonShape {
        /// The file.
        path: PathBuf,
        /// What was found, and what was expected.
        reason: String,
        /// The key that probably has the rows.
        suggestion: Option<String>,
    },
    /// Two files of one split have different columns.
    #[error(
        "{path}: its columns are {found}, but those of {first} are {expected}; the files of one split must agree"
    )]
    ColumnsDiffer {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: String,
        /// Another file of the split.
        first: PathBuf,
        /// The columns of that file.
        expected: String,
    },
    /// No file matches a pattern.
    #[error("{pattern}: no file matches this pattern")]
    NoMatch {
        /// The pattern.
        pattern: String,
    },
    /// A pattern is invalid.
    #[error("{pattern}: not a pattern of file names: {reason}")]
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// The error.
        reason: String,
    },
    /// A directory has no subdirectory of this configuration.
    #[error("{path}: no configuration {config:?}; found {found}")]
    ConfigNotFound {
        /// The directory.
        path: PathBuf,
        /// The name of the configuration.
        config: String,
        /// The subdirectories with data.
        found: String,
    },
    /// A row does not fit the columns that were written before it.
    #[error("{path}: the columns of a table are {found}, but {expected} in the tables before it")]
    OutputColumns {
        /// The output file.
        path: PathBuf,
        /// The columns of the table.
        found: String,
        /// The columns that were written.
        expected: String,
    },
    /// A label is not one of the known labels.
    #[error("{path}: row {row}: unknown label {label}; the labels are {known}")]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label: text in quotes, or an integer.
        label: String,
        /// The known labels, each with its id.
        known: String,
    },
    /// A row has no label.
    #[error("{path}: row {row} has no label: column {column:?} is {found}")]
    Unlabelled {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label column.
        column: String,
        /// The value of the label column.
        found: String,
    },
    /// No row has a label.
    #[error("{path}: none of the {rows} rows has a label; choose another split or file")]
    AllUnlabelled {
        /// The dataset.
        path: PathBuf,
        /// The number of rows.
        rows: usize,
    },
    /// A label has another type than the labels before it.
    #[error("{path}: row {row}: label {label} mixes {types} in one label column")]
    MixedLabels {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label.
        label: String,
        /// Both types, for example `text and integers`.
        types: String,
    },
    /// A label is a number with a fraction.
    #[error(
        "{path}: row {row}: label {label} is a fraction, but classes are integers or names; \
         problem_type regression reads numbers"
    )]
    FractionalLabel {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The number.
        label: String,
    },
    /// A row has a list of labels or several label columns, but one label is needed.
    #[error(
        "{path}: row {row}, column {column:?}: found {count} labels, but {problem_type} has one label per row; \
         problem_type multi_label_classification reads several"
    )]
    SeveralLabels {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The label column or columns.
        column: String,
        /// The number of labels.
        count: usize,
        /// The problem type of the options.
        problem_type: ProblemType,
    },
    /// The label columns are not the labels of the model.
    #[error(
        "{path}: the label columns are {columns}, but the labels are {known}; name one column for each label"
    )]
    LabelColumns {
        /// The dataset.
        path: PathBuf,
        /// The label columns.
        columns: String,
        /// The labels of the model.
        known: String,
    },
    /// The lists of 0 and 1 have more or fewer flags than there are labels.
    #[error(
        "{path}: row {row}: the list has {flags} flags of 0 and 1, but the labels are {known}; write one flag for each \
         label, or lists of the names that apply"
    )]
    FlagCount {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The number of flags in each list.
        flags: usize,
        /// The labels of the model or of the file.
        known: String,
    },
    /// A row has more or fewer numbers than the regression has targets.
    #[error("{path}: row {row}: found {found} numbers, but there are {expected} targets")]
    TargetCount {
        /// The file.
        path: PathBuf,
        /// The row, from 1.
        row: usize,
        /// The number of numbers.
        found: usize,
        /// The number of targets.
        expected: usize,
    },
    /// A label map is invalid.
    #[error("label map {map:?}: {reason}")]
    LabelMap {
        /// The file or the text of the map.
        map: String,
        /// What is wrong.
        reason: String,
    },
    /// Values of the label column are not in the label map.
    #[error("{path}: row {row}: the label map has no name for {values}; it has names for {mapped}")]
    UnmappedLabels {
        /// The file of the first value.
        path: PathBuf,
        /// The row of the first value, from 1.
        row: usize,
        /// All values without a name.
        values: String,
        /// The values of the map.
        mapped: String,
    },
    /// There are at least 50 labels, with fewer than two rows per label on average.
    #[error("{path}: {labels} labels in {rows} rows; is this the label column?")]
    TooFewRowsPerLabel {
        /// The dataset.
        path: PathBuf,
        /// The number of labels.
        labels: usize,
        /// The number of rows.
        rows: usize,
    },
    /// There are more labels than supported.
    #[error("{path}: {found} labels, but at most {limit} are supported; is this the label column?")]
    TooManyLabels {
        /// The dataset.
        path: PathBuf,
        /// The number of labels.
        found: usize,
        /// The maximum number of labels.
        limit: usize,
    },
    /// Two labels have the same name.
    #[error("duplicate label {name:?}")]
    DuplicateLabel {
        /// The name.
        name: String,
    },
    /// Shards of one split have different label names.
    #[error("{path}: the label names are {found}, but {expected} in the shards before it")]
    LabelNamesDiffer {
        /// The file.
        path: PathBuf,
        /// Its label names.
        found: String,
        /// The label names of the shards before it.
        expected: String,
    },
    /// All training rows have the same label.
    #[error("train: all {rows} rows have the label {label:?}, but a classifier needs at least two labels")]
    OneClass {
        /// The number of rows.
        rows: usize,
        /// The only label.
        label: String,
    },
    /// There are no rows.
    #[error("{split}: no rows")]
    NoRows {
        /// The use of the rows: `train` or `eval`.
        split: String,
    },
    /// No row can be held out, because each class keeps one row to train on.
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
        let suggestion = suggest_column(role, column, found.clone()).map(str::to_owned);
        let (path, column) = (path.to_path_buf(), column.to_owned());
        Self::MissingColumn { path, column, found: quoted(found), role, suggestion }
    }

    pub(crate) fn null(path: &Path, row: usize, column: &str) -> Self {
        Self::Null { path: path.to_path_buf(), row, column: column.to_owned() }
    }

    pub(crate) fn not_utf8(path: &Path, row: usize, column: &str) -> Self {
        Self::NotUtf8 { path: path.to_path_buf(), row, column: column.to_owned(), guess: None }
    }
}

fn looks_like(guess: &Option<String>) -> String {
    guess.as_ref().map(|guess| format!("; the file looks like {guess}")).unwrap_or_default()
}

fn at_row(row: usize) -> String {
    if row == 0 { String::new() } else { format!("row {row}: ") }
}

fn span(lines: usize) -> String {
    if lines == 1 { String::new() } else { format!("; quotes make this row span {lines} lines") }
}
