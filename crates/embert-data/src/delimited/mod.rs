//! Reads csv and tsv files: a header, then one example per row.

mod quotes;

use std::fs::File;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::label_encoding::{RawFile, RawLabel, RawRow};
use crate::note::DataNote;
use crate::options::{CsvQuoting, ReadOptions};
use quotes::{MultilineRows, ends_inside_quotes, num_lines};

pub(crate) fn read(path: &Path, separator: u8, options: &ReadOptions) -> Result<RawFile, DataError> {
    let mut table = Delimited::open(path, separator, options.csv_quoting)?;
    let text = table.column_index(&options.columns.text, ColumnRole::Text)?;
    let label = table.column_index(&options.columns.label, ColumnRole::Label)?;
    let (rows, notes) = table.rows(|row, record| {
        let cell = utf8(path, row, &options.columns.label, &record[label])?.trim().to_owned();
        let text = utf8(path, row, &options.columns.text, &record[text])?.to_owned();
        Ok(RawRow { row, text, label: RawLabel::Cell(cell) })
    })?;
    Ok(RawFile { path: path.to_path_buf(), rows, names: None, notes })
}

pub(crate) fn read_texts(
    path: &Path,
    separator: u8,
    options: &ReadOptions,
) -> Result<(Vec<String>, Vec<DataNote>), DataError> {
    let column = &options.columns.text;
    let mut table = Delimited::open(path, separator, options.csv_quoting)?;
    let text = table.column_index(column, ColumnRole::Text)?;
    table.rows(|row, record| Ok(utf8(path, row, column, &record[text])?.to_owned()))
}

/// Returns the name and the cells of each column.
pub(crate) fn read_columns(
    path: &Path,
    separator: u8,
    quoting: CsvQuoting,
) -> Result<(NamedColumns, Vec<DataNote>), DataError> {
    let mut table = Delimited::open(path, separator, quoting)?;
    let header = table.header()?;
    let names = header.iter().map(|name| Ok(utf8(path, 0, "header", name)?.to_owned()));
    let names = names.collect::<Result<Vec<_>, _>>()?;
    let (rows, notes) = table.rows(|row, record| {
        let cells = names.iter().zip(record).map(|(name, cell)| Ok(utf8(path, row, name, cell)?.to_owned()));
        cells.collect::<Result<Vec<_>, _>>()
    })?;
    let mut columns: Vec<_> =
        names.iter().map(|name| (name.clone(), Vec::with_capacity(rows.len()))).collect();
    for row in rows {
        columns.iter_mut().zip(row).for_each(|((_, cells), cell)| cells.push(cell));
    }
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

    /// Returns the index of a column. Names are compared without surrounding whitespace.
    fn column_index(&mut self, column: &str, role: ColumnRole) -> Result<usize, DataError> {
        let header = self.header()?;
        let names = header.iter().enumerate();
        let mut found =
            names.filter(|(_, name)| name.trim_ascii() == column.as_bytes()).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => {
                Err(DataError::DuplicateColumn { path: self.path.to_path_buf(), column: column.to_owned() })
            }
            (None, _) => Err(self.missing_column(&header, column, role)),
        }
    }

    fn missing_column(&self, header: &ByteRecord, column: &str, role: ColumnRole) -> DataError {
        let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
        match other_separator(&names, self.separator) {
            Some((found, advice)) => {
                let (path, header) = (self.path.to_path_buf(), names[0].trim().to_owned());
                DataError::WrongSeparator { path, header, found, advice }
            }
            None => DataError::missing_column(self.path, column, role, names.iter().map(|name| name.trim())),
        }
    }

    /// Calls `parse` with each row and its number, from 1; returns the results and the notes.
    fn rows<T>(
        mut self,
        parse: impl Fn(usize, &ByteRecord) -> Result<T, DataError>,
    ) -> Result<(Vec<T>, Vec<DataNote>), DataError> {
        let mut parsed = Vec::new();
        let mut record = ByteRecord::new();
        let mut multiline = MultilineRows::default();
        let mut last_start = 0;
        loop {
            let row = parsed.len() + 1;
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(self.malformed(row, error, &record)),
            }
            last_start = record.position().map_or(0, Position::byte);
            multiline.add(row, &record);
            parsed.push(parse(row, &record)?);
        }
        self.require_closed_quotes(parsed.len(), last_start)?;
        Ok((parsed, multiline.note(self.path).into_iter().collect()))
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
