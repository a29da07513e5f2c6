//! Quotes in csv and tsv files: rows with line breaks in quoted cells, and unclosed quotes.

use std::io::{self, Read};
use std::path::Path;

use csv::ByteRecord;

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

    pub(super) fn note(&self, path: &Path) -> Option<DataNote> {
        let &Self { rows, longest_row: row, most_lines: lines } = self;
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

/// Follows the quotes of a file while it is read.
pub(super) struct QuoteTracker<R> {
    bytes: R,
    separator: u8,
    state: State,
    is_at_end: bool,
}

impl<R> QuoteTracker<R> {
    pub(super) fn new(bytes: R, separator: u8) -> Self {
        Self { bytes, separator, state: State::Start, is_at_end: false }
    }

    /// Returns true if the file has ended inside of a quoted cell.
    pub(super) fn ended_inside_quotes(&self) -> bool {
        self.is_at_end && self.state == State::Quoted
    }

    fn next_state(&self, state: State, byte: u8) -> State {
        match (state, byte) {
            (State::Quoted, b'"') => State::Quote,
            (State::Quoted, _) => State::Quoted,
            (State::Start | State::Cell | State::Quote, b'"') => State::Quoted,
            (_, b'\r' | b'\n') => State::Start,
            (_, byte) if byte == self.separator => State::Cell,
            _ => State::Plain,
        }
    }
}

impl<R: Read> Read for QuoteTracker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.is_at_end = count == 0 && !buffer.is_empty();
        self.state = buffer[..count].iter().fold(self.state, |state, byte| self.next_state(state, *byte));
        Ok(count)
    }
}
