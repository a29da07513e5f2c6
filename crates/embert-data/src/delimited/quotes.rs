//! Quotes in csv and tsv: cells that they make span lines, and a quote that never closes.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;

use crate::error::DataError;
use crate::note::DataNote;

/// The rows that span lines, and the longest of them.
#[derive(Default)]
pub(super) struct LongestSpan {
    rows: usize,
    row: usize,
    lines: usize,
}

impl LongestSpan {
    pub(super) fn add(&mut self, row: usize, record: &ByteRecord) {
        let lines = lines(record);
        if lines > 1 {
            self.rows += 1;
            if lines > self.lines {
                (self.row, self.lines) = (row, lines);
            }
        }
    }

    pub(super) fn note(self, path: &Path) -> Option<DataNote> {
        let Self { rows, row, lines } = self;
        (rows > 0).then(|| DataNote::SpansLines { path: path.to_path_buf(), rows, row, lines })
    }
}

/// The number of lines of the file that a record spans.
pub(super) fn lines(record: &ByteRecord) -> usize {
    1 + record.as_slice().iter().filter(|byte| **byte == b'\n').count()
}

/// Where a reader of csv is between two bytes.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Before the first byte of the record.
    Start,
    /// Before the first byte of a cell.
    Cell,
    /// In a cell without quotes, where a quote is an ordinary character.
    Plain,
    /// In a quoted cell.
    Quoted,
    /// After a quote in a quoted cell.
    Quote,
}

/// Returns whether the record that begins at this byte ends the file within a quoted cell.
pub(super) fn is_left_open(path: &Path, begin: u64, separator: u8) -> Result<bool, DataError> {
    let mut file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    file.seek(SeekFrom::Start(begin)).map_err(DataError::io(path))?;
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
