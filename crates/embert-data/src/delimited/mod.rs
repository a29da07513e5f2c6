//! Reads csv and tsv files: a header, then one row of cells per record.

mod quotes;

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};

use crate::columns::{ColumnRole, find_column};
use crate::error::DataError;
use crate::note::DataNote;
use crate::options::CsvQuoting;
use quotes::{MultilineRows, ends_inside_quotes, num_lines};

/// Returns the name and the cells of each column. With `wanted`, returns only these columns.
pub(crate) fn read_columns(
    path: &Path,
    separator: u8,
    quoting: CsvQuoting,
    wanted: Option<&[(&str, ColumnRole)]>,
) -> Result<(NamedColumns, Vec<DataNote>), DataError> {
    let mut table = Delimited::open(path, separator, quoting)?;
    let names = table.column_names(wanted.is_some())?;
    let indices = match wanted {
        Some(wanted) => table.column_indices(&names, wanted)?,
        None => (0..names.len()).collect(),
    };
    let mut columns = indices.iter().map(|&index| (names[index].clone(), vec![])).collect::<Vec<_>>();
    let notes = table.rows(|row, record| {
        for (&index, (name, cells)) in indices.iter().zip(&mut columns) {
            cells.push(utf8(path, row, name, &record[index])?.to_owned());
        }
        Ok(())
    })?;
    Ok((columns, notes))
}

type NamedColumns = Vec<(String, Vec<String>)>;

/// An open csv or tsv file.
struct Delimited<'a> {
    path: &'a Path,
    separator: u8,
    quoting: CsvQuoting,
    reader: Reader<File>,
}

impl<'a> Delimited<'a> {
    fn open(path: &'a Path, separator: u8, quoting: CsvQuoting) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::io(path))?;
        let quotes = quoting == CsvQuoting::Minimal;
        let reader = ReaderBuilder::new().delimiter(separator).quoting(quotes).from_reader(file);
        Ok(Self { path, separator, quoting, reader })
    }

    fn header(&mut self) -> Result<ByteRecord, DataError> {
        let header = self.reader.byte_headers().cloned();
        header.map_err(|error| self.malformed(0, error, &ByteRecord::new()))
    }

    /// Returns the names in the header. If `lossy`, invalid UTF-8 in them is replaced.
    fn column_names(&mut self, lossy: bool) -> Result<Vec<String>, DataError> {
        let header = self.header()?;
        let name = |name: &[u8]| match lossy {
            true => Ok(String::from_utf8_lossy(name).into_owned()),
            false => Ok(utf8(self.path, 0, "header", name)?.to_owned()),
        };
        header.iter().map(name).collect()
    }

    /// Returns the indices of these columns, without duplicates.
    fn column_indices(
        &self,
        names: &[String],
        wanted: &[(&str, ColumnRole)],
    ) -> Result<Vec<usize>, DataError> {
        let mut indices = Vec::new();
        for (column, role) in wanted {
            let found = find_column(self.path, names.iter().map(String::as_str), column, *role);
            let index = found.map_err(|error| self.explain(error, names))?;
            if !indices.contains(&index) {
                indices.push(index);
            }
        }
        Ok(indices)
    }

    /// Replaces the error of a missing column if the header has another separator.
    fn explain(&self, error: DataError, names: &[String]) -> DataError {
        let is_missing = matches!(error, DataError::MissingColumn { .. });
        match other_separator(names, self.separator).filter(|_| is_missing) {
            Some((found, advice)) => {
                let (path, header) = (self.path.to_path_buf(), names[0].trim().to_owned());
                DataError::WrongSeparator { path, header, found, advice }
            }
            None => error,
        }
    }

    /// Calls `visit` with the number of each row, from 1, and its cells; returns the notes.
    fn rows(
        mut self,
        mut visit: impl FnMut(usize, &ByteRecord) -> Result<(), DataError>,
    ) -> Result<Vec<DataNote>, DataError> {
        let mut record = ByteRecord::new();
        let mut multiline = MultilineRows::default();
        let (mut rows, mut last_start) = (0, 0);
        loop {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => rows += 1,
                Ok(false) => break,
                Err(error) => return Err(self.malformed(rows + 1, error, &record)),
            }
            last_start = record.position().map_or(0, Position::byte);
            multiline.add(rows, &record);
            visit(rows, &record)?;
        }
        self.require_closed_quotes(rows, last_start)?;
        Ok(multiline.note(self.path).into_iter().collect())
    }

    /// Returns an error if the row that starts at this byte has an unclosed quote: it contains all rows after it.
    fn require_closed_quotes(&self, row: usize, start: u64) -> Result<(), DataError> {
        if self.quoting == CsvQuoting::None || !ends_inside_quotes(self.path, start, self.separator)? {
            return Ok(());
        }
        Err(DataError::UnclosedQuote { path: self.path.to_path_buf(), row })
    }

    fn malformed(&self, row: usize, error: csv::Error, record: &ByteRecord) -> DataError {
        if let ErrorKind::UnequalLengths { pos, expected_len, len } = error.kind() {
            let start = pos.as_ref().map_or(0, Position::byte);
            let path = self.path.to_path_buf();
            let (cells, expected, lines) = (*len, *expected_len, num_lines(record));
            let malformed = DataError::CellCount { path, row, cells, expected, lines };
            return self.require_closed_quotes(row, start).err().unwrap_or(malformed);
        }
        let (path, reason) = (self.path.to_path_buf(), error.to_string());
        match error.into_kind() {
            ErrorKind::Io(source) => DataError::Io { path, source },
            _ => DataError::MalformedRow { path, row, reason },
        }
    }
}

/// Returns the separator that a header of one name contains, and advice for the user.
fn other_separator(names: &[impl AsRef<str>], separator: u8) -> Option<(&'static str, &'static str)> {
    let [name] = names else { return None };
    let candidates = [
        (b'\t', "tabs", "rename it to .tsv"),
        (b';', "semicolons", "save it with commas, or with tabs as .tsv"),
        (b'|', "vertical bars", "save it with commas, or with tabs as .tsv"),
        (b',', "commas", "rename it to .csv"),
    ];
    let mut found = candidates.into_iter().filter(|(byte, ..)| *byte != separator);
    let (_, found, advice) = found.find(|(byte, ..)| name.as_ref().as_bytes().contains(byte))?;
    Some((found, advice))
}

fn utf8<'a>(path: &Path, row: usize, column: &str, cell: &'a [u8]) -> Result<&'a str, DataError> {
    std::str::from_utf8(cell).map_err(|_| DataError::not_utf8(path, row, column))
}
