//! Reads the rows of one or more files as tables of some thousand rows.

use std::collections::VecDeque;
#[cfg(feature = "parquet")]
use std::io::Read;
use std::path::{Path, PathBuf};

use super::chunk::{Chunk, ChunkSize};
use super::column::{Column, Values};
use super::source::Source;
use super::{LabelNames, Table};
#[cfg(feature = "parquet")]
use crate::arrow_ipc::ArrowReader;
use crate::columns::ColumnRole;
use crate::data_files::{self, DataFile, Found};
use crate::error::DataError;
use crate::formatting::quoted;
use crate::json::Keys;
use crate::note::DataNote;
use crate::options::ReadOptions;

/// An iterator over the rows of a file, a directory or a pattern, as tables of at most 4,096 rows.
///
/// Memory does not grow with the number of rows. All tables have the same columns, in the order of the first file. Values
/// keep their types: cells of csv are text, values of JSON keep their texts, and parquet and arrow keep their types. A
/// JSON file is read twice: first to find all keys, so that a key that only some rows have is null in the others.
///
/// ```no_run
/// use embert_data::{ReadOptions, TableReader, TableWriter};
///
/// let mut out = TableWriter::create("out.parquet".as_ref())?;
/// for table in TableReader::open("in.csv".as_ref(), &ReadOptions::default())? {
///     out.write(&table?)?;
/// }
/// out.finish()?;
/// # Ok::<(), embert_data::DataError>(())
/// ```
pub struct TableReader {
    options: ReadOptions,
    wanted: Option<Vec<(String, ColumnRole)>>,
    size: ChunkSize,
    waiting: VecDeque<DataFile>,
    /// The keys of all json files.
    keys: Keys,
    current: Option<Part>,
    /// The first file and its columns.
    first: Option<(PathBuf, Vec<String>)>,
    notes: Vec<DataNote>,
}

/// An open file.
struct Part {
    file: DataFile,
    source: Source,
    label_names: LabelNames,
}

impl TableReader {
    /// Opens a file, all files of a directory, or the files that match a pattern such as `data/*.csv`.
    ///
    /// # Errors
    ///
    /// A [`DataError`] that names the file.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let Found { files, note } = data_files::all_files(path)?;
        let mut reader = Self::of_files(files, options, None)?;
        reader.notes.extend(note);
        Ok(reader)
    }

    /// Reads an Arrow IPC stream.
    ///
    /// # Errors
    ///
    /// A [`DataError`] if the stream does not begin with a schema.
    #[cfg(feature = "parquet")]
    pub fn arrow_stream(stream: impl Read + Send + 'static) -> Result<Self, DataError> {
        let path = PathBuf::from("arrow stream");
        let reader = ArrowReader::of_stream(&path, Box::new(stream))?;
        let mut tables = Self::of_files(vec![], &ReadOptions::default(), None)?;
        let label_names = reader.label_names.clone();
        let file = DataFile { path, partitions: vec![] };
        tables.current = Some(Part { file, source: Source::Arrow(Box::new(reader)), label_names });
        Ok(tables)
    }

    /// Opens files. With `wanted`, reads only these columns; an error if a file does not have one.
    pub(crate) fn of_files(
        files: Vec<DataFile>,
        options: &ReadOptions,
        wanted: Option<&[(&str, ColumnRole)]>,
    ) -> Result<Self, DataError> {
        let wanted =
            wanted.map(|wanted| wanted.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect());
        let keys = match &wanted {
            None => Source::json_keys(files.iter().map(|file| file.path.as_path()), options)?,
            Some(_) => Keys::default(),
        };
        let mut reader = Self {
            options: options.clone(),
            wanted,
            size: ChunkSize::default(),
            waiting: files.into(),
            keys,
            current: None,
            first: None,
            notes: vec![],
        };
        reader.open_next()?;
        Ok(reader)
    }

    /// Returns the notes about the rows so far, and forgets them. After the last table, these are all notes.
    pub fn take_notes(&mut self) -> Vec<DataNote> {
        std::mem::take(&mut self.notes)
    }

    /// Opens the next file. Returns false after the last one.
    fn open_next(&mut self) -> Result<bool, DataError> {
        let Some(file) = self.waiting.pop_front() else { return Ok(false) };
        let is_partition =
            |name: &str| file.partitions.iter().any(|(partition, _)| partition.trim() == name.trim());
        let wanted = self.wanted.iter().flatten().filter(|(name, _)| !is_partition(name));
        let wanted = wanted.map(|(name, role)| (name.as_str(), *role)).collect::<Vec<_>>();
        let wanted = self.wanted.is_some().then_some(wanted.as_slice());
        let source = Source::open(&file.path, &self.options, wanted, &self.keys)?;
        let label_names = source.label_names();
        self.current = Some(Part { file, source, label_names });
        Ok(true)
    }

    /// Returns the next table; `None` after the last one.
    fn next_table(&mut self) -> Result<Option<Table>, DataError> {
        while let Some(part) = &mut self.current {
            if let Some(chunk) = part.source.next_chunk(self.size)? {
                let table = part.table(chunk, self.wanted.as_deref());
                return self.in_order_of_first(table).map(Some);
            }
            self.notes.extend(part.source.notes());
            self.current = None;
            self.open_next()?;
        }
        Ok(None)
    }

    /// Sorts the columns of a table as those of the first table; an error if they differ.
    fn in_order_of_first(&mut self, mut table: Table) -> Result<Table, DataError> {
        let names = table.column_names().map(str::to_owned).collect::<Vec<_>>();
        let Some((first, expected)) = &self.first else {
            self.first = Some((table.path.clone(), names));
            return Ok(table);
        };
        if names == *expected || self.wanted.is_some() {
            return Ok(table);
        }
        let mut sorted = Vec::with_capacity(names.len());
        for name in expected {
            if let Some(at) = table.columns.iter().position(|(found, _)| found == name) {
                sorted.push(table.columns.remove(at));
            }
        }
        if sorted.len() < expected.len() || !table.columns.is_empty() {
            return Err(DataError::ColumnsDiffer {
                path: table.path,
                found: quoted(names.iter().map(String::as_str)),
                first: first.clone(),
                expected: quoted(expected.iter().map(String::as_str)),
            });
        }
        table.columns = sorted;
        Ok(table)
    }
}

impl Iterator for TableReader {
    type Item = Result<Table, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let table = self.next_table();
        if table.is_err() {
            self.current = None;
            self.waiting.clear();
        }
        table.transpose()
    }
}

impl Part {
    /// Returns the rows as a table, with the columns of Hive folders at the end.
    fn table(&self, chunk: Chunk, wanted: Option<&[(String, ColumnRole)]>) -> Table {
        let Chunk { mut columns, rows } = chunk;
        for (name, value) in &self.file.partitions {
            let is_column = columns.iter().any(|(column, _)| column == name);
            let is_wanted =
                wanted.is_none_or(|wanted| wanted.iter().any(|(column, _)| column.trim() == name.trim()));
            if is_wanted && !is_column {
                columns.push((name.clone(), Values::Column(Column::Text(vec![value.clone(); rows.len()]))));
            }
        }
        let (path, label_names) = (self.file.path.clone(), self.label_names.clone());
        Table { columns, path, lines: rows, label_names }
    }
}
