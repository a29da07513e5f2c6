//! csv and tsv files: a header, then one example a row, quoted as spreadsheets quote.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};

use crate::columns::Columns;
use crate::error::DataError;
use crate::labels::{RawFile, RawLabel, RawRow};

pub(crate) fn read(path: &Path, separator: u8, columns: &Columns) -> Result<RawFile, DataError> {
    let mut table = open(path, separator)?;
    let text = position(&mut table, path, &columns.text)?;
    let label = position(&mut table, path, &columns.label)?;
    let rows = records(table, path, |row, record| {
        let cell = utf8(path, row, &columns.label, &record[label])?.trim();
        if cell.is_empty() {
            return Err(DataError::null(path, row, &columns.label));
        }
        let text = utf8(path, row, &columns.text, &record[text])?.to_owned();
        Ok(RawRow { row, text, label: RawLabel::Untyped(cell.to_owned()) })
    })?;
    Ok(RawFile { path: path.to_path_buf(), rows, names: None })
}

pub(crate) fn read_texts(path: &Path, separator: u8, column: &str) -> Result<Vec<String>, DataError> {
    let mut table = open(path, separator)?;
    let text = position(&mut table, path, column)?;
    records(table, path, |row, record| Ok(utf8(path, row, column, &record[text])?.to_owned()))
}

fn open(path: &Path, separator: u8) -> Result<Reader<File>, DataError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    Ok(ReaderBuilder::new().delimiter(separator).from_reader(file))
}

fn position(table: &mut Reader<File>, path: &Path, column: &str) -> Result<usize, DataError> {
    let header = table.byte_headers().map_err(|error| malformed(path, 0, error))?;
    let mut found = header
        .iter()
        .enumerate()
        .filter(|(_, name)| name.trim_ascii() == column.as_bytes())
        .map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(at), None) => Ok(at),
        (Some(_), Some(_)) => {
            Err(DataError::ColumnTwice { path: path.to_path_buf(), column: column.to_owned() })
        }
        (None, _) => {
            let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
            Err(DataError::missing_column(path, column, names.iter().map(|name| name.trim())))
        }
    }
}

fn records<T>(
    mut table: Reader<File>,
    path: &Path,
    parse: impl Fn(usize, &ByteRecord) -> Result<T, DataError>,
) -> Result<Vec<T>, DataError> {
    let mut parsed = Vec::new();
    let mut record = ByteRecord::new();
    let mut last = 0;
    while table.read_byte_record(&mut record).map_err(|error| malformed(path, parsed.len() + 1, error))? {
        last = record.position().map_or(0, Position::byte);
        parsed.push(parse(parsed.len() + 1, &record)?);
    }
    check_end(path, last, parsed.len())?;
    Ok(parsed)
}

/// Refuses a last row whose last cell opens a quote and never closes it: it has swallowed all rows after it.
fn check_end(path: &Path, begin: u64, row: usize) -> Result<(), DataError> {
    let mut file = File::open(path).map_err(DataError::io(path))?;
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(begin))
        .and_then(|_| file.read_to_end(&mut text))
        .map_err(DataError::io(path))?;
    if text.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
        return Ok(());
    }
    let reason = "a quote opens a cell and none closes it".to_owned();
    Err(DataError::MalformedRow { path: path.to_path_buf(), row, reason })
}

fn utf8<'a>(path: &Path, row: usize, column: &str, cell: &'a [u8]) -> Result<&'a str, DataError> {
    std::str::from_utf8(cell).map_err(|_| DataError::not_utf8(path, row, column))
}

fn malformed(path: &Path, row: usize, error: csv::Error) -> DataError {
    let path = path.to_path_buf();
    let reason = match error.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "{len} cells where the header has {expected_len}; is a text with the separator in it not quoted?"
        ),
        _ => error.to_string(),
    };
    match error.into_kind() {
        ErrorKind::Io(source) => DataError::Io { path, source },
        _ => DataError::MalformedRow { path, row, reason },
    }
}
