//! Quotes in csv and tsv files: rows with line breaks in quoted cells, and unclosed quotes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;

use crate::error::DataError;
use crate::note::DataNote;

/// Counts rows that span several lines, and keeps the longest.
#[derive(Default)]
pub(super) struct MultilineRows {
    rows: usize,
    longest_row: usize,
    most_lines: usize,
}

impl MultilineRows {
    pub(super) fn add(&mut self, row: usize, record: &ByteRecord) {
        let lines = num_lines(record);
        if lines > 1 {
            self.rows += 1;
            if lines > self.most_lines {
                (self.longest_row, self.most_lines) = (row, lines);
            }
        }
    }

    pub(super) fn note(self, path: &Path) -> Option<DataNote> {
        let Self { rows, longest_row: row, most_lines: lines } = self;
        (rows > 0).then(|| DataNote::MultilineRows { path: path.to_path_buf(), rows, row, lines })
    }
}

/// Returns the number of lines that a record spans in the file.
pub(super) fn num_lines(record: &ByteRecord) -> usize {
    1 + record.as_slice().iter().filter(|byte| **byte == b'\n').count()
}

/// State of a csv parser between two bytes.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first byte of a record.
    Start,
    /// Before the first byte of a cell.
    Cell,
    /// In an unquoted cell, where a quote is an ordinary character.
    Plain,
    /// In a quoted cell.
    Quoted,
    /// After a quote in a quoted cell.
    Quote,
}

/// Returns true if the record that starts at this byte is still inside a quoted cell at the end of the file.
pub(super) fn ends_inside_quotes(path: &Path, start: u64, separator: u8) -> Result<bool, DataError> {
    let mut file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    file.seek(SeekFrom::Start(start)).map_err(DataError::io(path))?;
    let mut state = State::Start;
    for byte in file.bytes() {
        let byte = byte.map_err(DataError::io(path))?;
        state = match (state, byte) {
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) => State::Quoted,
            (State::Start | State::Cell | State::Quote, b'"') => State::Quoted,
            (State::Start, b'\r' | b'\n') => State::Start,
            (_, b'\r' | b'\n') => return Ok(false),
            (_, byte) if byte == separator => State::Cell,
            _ => State::Plain,
        };
    }
    Ok(state == State::Quoted)
}
