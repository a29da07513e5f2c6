//! Reads csv and tsv files in chunks: a header, then one row of cells per record.

mod quotes;
mod uneven;

use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::find_column::find_column;
use crate::input::{self, Bytes, read_error};
use crate::note::DataNote;
use crate::options::{CsvQuoting, ReadOptions};
use crate::table::{Chunk, ChunkSize, Column, Values};
use quotes::{MultilineRows, QuoteTracker, num_lines};
use uneven::UnevenRows;

/// An open csv or tsv file.
pub(crate) struct DelimitedReader {
    path: PathBuf,
    separator: u8,
    quoting: CsvQuoting,
    reader: Reader<QuoteTracker<Bytes>>,
    /// The number of columns of the file.
    width: usize,
    /// The index and the name of each column to read.
    columns: Vec<(usize, String)>,
    /// The number of rows read so far.
    row: usize,
    multiline: MultilineRows,
    /// The dropped rows; `None` if rows of another width are errors.
    uneven: Option<UnevenRows>,
}

impl DelimitedReader {
    /// Opens a file. With `wanted`, reads only these columns.
    pub(crate) fn open(
        path: &Path,
        separator: u8,
        options: &ReadOptions,
        wanted: Option<&[(&str, ColumnRole)]>,
    ) -> Result<Self, DataError> {
        let separator = options.csv_separator.unwrap_or(separator);
        let uneven = (options.tsv_drop_uneven_rows && separator == b'\t').then(UnevenRows::default);
        let bytes = QuoteTracker::new(input::open_text(path, options.csv_encoding)?, separator);
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .quoting(options.csv_quoting == CsvQuoting::Minimal)
            .has_headers(options.csv_column_names.is_none())
            .flexible(uneven.is_some())
            .buffer_capacity(64 << 10)
            .from_reader(bytes);
        let mut table = Self {
            path: path.to_path_buf(),
            separator,
            quoting: options.csv_quoting,
            reader,
            width: 0,
            columns: vec![],
            row: 0,
            multiline: MultilineRows::default(),
            uneven,
        };
        let names = match &options.csv_column_names {
            Some(names) => names.clone(),
            None => table.header(wanted.is_some())?,
        };
        table.width = names.len();
        table.columns = table.select(names, wanted)?;
        Ok(table)
    }

    /// Returns the next rows; `None` at the end.
    pub(crate) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        let mut cells = vec![Vec::new(); self.columns.len()];
        let mut record = ByteRecord::new();
        let (mut rows, mut bytes) = (vec![], 0);
        while size.has_room(rows.len(), bytes) && self.read(&mut record)? {
            rows.push(self.row);
            bytes += record.as_slice().len();
            for ((index, name), cells) in self.columns.iter().zip(&mut cells) {
                cells.push(self.utf8(self.row, name, &record[*index])?.to_owned());
            }
        }
        let names = self.columns.iter().map(|(_, name)| name.clone());
        let columns = names.zip(cells).map(|(name, cells)| (name, Values::Column(Column::Text(cells))));
        Ok((!rows.is_empty()).then(|| Chunk { columns: columns.collect(), rows }))
    }

    /// Returns notes about the rows so far that span several lines or were dropped.
    pub(crate) fn notes(&self) -> impl Iterator<Item = DataNote> {
        let uneven = self.uneven.as_ref().and_then(|uneven| uneven.note(&self.path, self.row, self.width));
        self.multiline.note(&self.path).into_iter().chain(uneven)
    }

    /// Reads the next row that is not dropped. Returns false at the end of the file.
    fn read(&mut self, record: &mut ByteRecord) -> Result<bool, DataError> {
        loop {
            match self.reader.read_byte_record(record) {
                Ok(true) => self.row += 1,
                Ok(false) => return self.require_complete().map(|()| false),
                Err(error) => return Err(self.malformed(self.row + 1, error, record)),
            }
            match &mut self.uneven {
                _ if record.len() == self.width => break,
                Some(uneven) => uneven.add(record.len()),
                None => {
                    let (path, names, cells) = (self.path.clone(), self.width, record.len());
                    return Err(DataError::ColumnNameCount { path, names, row: self.row, cells });
                }
            }
        }
        self.multiline.add(self.row, record);
        if self.reader.get_ref().ended_inside_quotes() {
            self.require_closed_quotes(self.row)?;
        }
        Ok(true)
    }

    /// Returns the names in the header. If `lossy`, invalid UTF-8 in them is replaced.
    fn header(&mut self, lossy: bool) -> Result<Vec<String>, DataError> {
        let header = self.reader.byte_headers().cloned();
        let header = header.map_err(|error| self.malformed(0, error, &ByteRecord::new()))?;
        let name = |name: &[u8]| match lossy {
            true => Ok(String::from_utf8_lossy(name).into_owned()),
            false => Ok(self.utf8(0, "header", name)?.to_owned()),
        };
        header.iter().map(name).collect()
    }

    /// Returns the wanted columns, without duplicates.
    fn select(
        &self,
        names: Vec<String>,
        wanted: Option<&[(&str, ColumnRole)]>,
    ) -> Result<Vec<(usize, String)>, DataError> {
        let Some(wanted) = wanted else { return Ok(names.into_iter().enumerate().collect()) };
        let mut columns: Vec<(usize, String)> = Vec::new();
        for (column, role) in wanted {
            let found = find_column(&self.path, names.iter().map(String::as_str), column, *role);
            let index = found.map_err(|error| self.explain(error, &names))?;
            if columns.iter().all(|(other, _)| *other != index) {
                columns.push((index, names[index].clone()));
            }
        }
        Ok(columns)
    }

    /// Replaces the error of a missing column if the header has another separator, or looks like data.
    fn explain(&self, error: DataError, names: &[String]) -> DataError {
        let DataError::MissingColumn { column, suggestion, .. } = &error else { return error };
        let path = self.path.clone();
        if let Some((separator, found, advice)) = other_separator(names, self.separator) {
            let header = names[0].trim().to_owned();
            return DataError::WrongSeparator { path, header, found, advice, separator };
        }
        match names.iter().find(|name| suggestion.is_none() && is_data(name)) {
            Some(cell) => DataError::NoHeader { path, column: column.clone(), cell: shortened(cell) },
            None => error,
        }
    }

    /// Returns an error if the file ends in a quoted cell, or if all its rows were dropped.
    fn require_complete(&self) -> Result<(), DataError> {
        self.require_closed_quotes(self.row)?;
        self.uneven.as_ref().map_or(Ok(()), |uneven| uneven.require_even(&self.path, self.row, self.width))
    }

    /// Returns an error if the file has ended inside of a quoted cell. That cell contains all rows after it.
    fn require_closed_quotes(&self, row: usize) -> Result<(), DataError> {
        if self.quoting == CsvQuoting::None || !self.reader.get_ref().ended_inside_quotes() {
            return Ok(());
        }
        Err(DataError::UnclosedQuote { path: self.path.clone(), row })
    }

    fn malformed(&self, row: usize, error: csv::Error, record: &ByteRecord) -> DataError {
        let path = self.path.clone();
        if let ErrorKind::UnequalLengths { expected_len: expected, len: cells, .. } = *error.kind() {
            let malformed = DataError::CellCount { path, row, cells, expected, lines: num_lines(record) };
            return self.require_closed_quotes(row).err().unwrap_or(malformed);
        }
        let reason = error.to_string();
        match error.into_kind() {
            ErrorKind::Io(source) => read_error(&path, row, source),
            _ => DataError::MalformedRow { path, row, reason },
        }
    }

    fn utf8<'a>(&self, row: usize, column: &str, cell: &'a [u8]) -> Result<&'a str, DataError> {
        std::str::from_utf8(cell).map_err(|_| DataError::not_utf8(&self.path, row, column).with_guess(cell))
    }
}

/// Returns the separator that a header of one name contains, its name, and advice for the user.
fn other_separator(names: &[impl AsRef<str>], separator: u8) -> Option<(u8, &'static str, &'static str)> {
    let [name] = names else { return None };
    let candidates = [
        (b'\t', "tabs", "rename it to .tsv"),
        (b';', "semicolons", "save it with commas, or with tabs as .tsv"),
        (b'|', "vertical bars", "save it with commas, or with tabs as .tsv"),
        (b',', "commas", "rename it to .csv"),
    ];
    let mut found = candidates.into_iter().filter(|(byte, ..)| *byte != separator);
    found.find(|(byte, ..)| name.as_ref().as_bytes().contains(byte))
}

/// Returns true for a cell that is probably no name of a column: a number, or a long text.
fn is_data(cell: &str) -> bool {
    const MAX_NAME: usize = 64;
    let is_number = cell.trim().parse::<f64>().is_ok_and(f64::is_finite);
    is_number || cell.chars().count() > MAX_NAME || cell.split_whitespace().count() > 8
}

fn shortened(cell: &str) -> String {
    const MAX: usize = 40;
    let start = cell.trim().chars().take(MAX).collect::<String>();
    if start.len() < cell.trim().len() { start + "..." } else { start }
}
