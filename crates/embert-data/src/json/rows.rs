//! The rows of a JSON file: its lines, the elements of a list, or one object of columns.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::columns_object::Columns;
use super::scanner::Scanner;
use crate::error::DataError;
use crate::formatting::quoted;
use crate::input::{self, Bytes, read_error};
use crate::options::ReadOptions;

type Reader = BufReader<Bytes>;

/// The rows of an open file. Each is the text of an object, or of a string.
pub(super) struct Rows {
    path: PathBuf,
    layout: Layout,
    /// The number of the last row: of its line, or of its element.
    row: usize,
}

enum Layout {
    /// One object per line. Empty lines are skipped.
    Lines(Reader),
    /// A list, after its opening bracket.
    List { scanner: Scanner<Reader>, is_field: bool },
    /// Objects over several lines, one after the other.
    Objects(Scanner<Reader>),
    /// An object with a list for each column.
    Columns(Columns),
}

impl Rows {
    /// Opens a file. If `is_document`, an object may span several lines.
    pub(super) fn open(path: &Path, options: &ReadOptions, is_document: bool) -> Result<Self, DataError> {
        let bytes = input::open_text(path, options.csv_encoding)?;
        let mut scanner = Scanner::new(BufReader::with_capacity(64 << 10, bytes));
        let (path_buf, row) = (path.to_path_buf(), 0);
        let first_line = skip_blank_lines(path, &mut scanner)?;
        let failed = |error| read_error(path, 0, error);
        let layout = match (scanner.peek().map_err(failed)?, &options.json_field) {
            (Some(b'{'), Some(field)) => field_of(path, scanner, field)?,
            (Some(b'['), _) => {
                scanner.skip(b'[').map_err(failed)?;
                Layout::List { scanner, is_field: false }
            }
            (Some(b'{'), None) => return Self::of_objects(path, scanner, first_line, is_document),
            _ => {
                return Ok(Self {
                    path: path_buf,
                    layout: Layout::Lines(scanner.into_inner()),
                    row: first_line,
                });
            }
        };
        Ok(Self { path: path_buf, layout, row })
    }

    /// Chooses between lines, one object of columns, and objects over several lines.
    fn of_objects(
        path: &Path,
        scanner: Scanner<Reader>,
        first_line: usize,
        is_document: bool,
    ) -> Result<Self, DataError> {
        let mut reader = scanner.into_inner();
        let mut line = Vec::new();
        let failed = |error| read_error(path, first_line + 1, error);
        reader.read_until(b'\n', &mut line).map_err(failed)?;
        let is_object = serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
        let mut rest = Scanner::new(reader);
        let blank_lines = rest.skip_whitespace().map_err(failed)?;
        let is_only_line = rest.peek().map_err(failed)?.is_none();
        if is_object && is_only_line {
            if let Some(columns) = Columns::of_object(&line) {
                return Ok(Self { path: path.to_path_buf(), layout: Layout::Columns(columns), row: 0 });
            }
            if is_document {
                require_no_list(path, &line)?;
            }
        }
        line.resize(line.len() + blank_lines, b'\n');
        let again = Box::new(Cursor::new(line).chain(rest.into_inner())) as Bytes;
        let again = BufReader::with_capacity(64 << 10, again);
        if is_object || !is_document {
            return Ok(Self { path: path.to_path_buf(), layout: Layout::Lines(again), row: first_line });
        }
        Self::of_document(path, Scanner::new(again))
    }

    /// Reads the first object, which spans several lines. If it is the only one, it may have a list for each column.
    fn of_document(path: &Path, mut scanner: Scanner<Reader>) -> Result<Self, DataError> {
        let mut object = Vec::new();
        let failed = |error| read_error(path, 1, error);
        scanner.read_value(&mut object).map_err(failed)?;
        if scanner.peek().map_err(failed)?.is_none() {
            if let Some(columns) = Columns::of_object(&object) {
                return Ok(Self { path: path.to_path_buf(), layout: Layout::Columns(columns), row: 0 });
            }
            require_no_list(path, &object)?;
        }
        let again = Box::new(Cursor::new(object).chain(scanner.into_inner())) as Bytes;
        let scanner = Scanner::new(BufReader::with_capacity(64 << 10, again));
        Ok(Self { path: path.to_path_buf(), layout: Layout::Objects(scanner), row: 0 })
    }

    /// Returns true if the rows are the elements of a list, which may be strings.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.layout, Layout::List { .. })
    }

    /// Replaces `text` by the text of the next row and returns its number, from 1; `None` at the end.
    pub(super) fn next(&mut self, text: &mut Vec<u8>) -> Result<Option<usize>, DataError> {
        let (path, row) = (&self.path, self.row + 1);
        let failed = |error| read_error(path, row, error);
        let malformed = |reason: &str| DataError::MalformedRow {
            path: path.clone(),
            row,
            reason: format!("not JSON: {reason}"),
        };
        match &mut self.layout {
            Layout::Lines(reader) => return next_line(path, reader, &mut self.row, text),
            Layout::Columns(columns) => {
                self.row = row;
                return Ok(columns.next(text).then_some(row));
            }
            Layout::Objects(scanner) => {
                if scanner.peek().map_err(failed)?.is_none() {
                    return Ok(None);
                }
                scanner.read_value(text).map_err(failed)?;
            }
            Layout::List { scanner, is_field } => {
                if scanner.skip(b']').map_err(failed)? {
                    return match scanner.peek().map_err(failed)? {
                        Some(_) if !*is_field => Err(malformed("text after the list")),
                        _ => {
                            self.layout = Layout::Columns(Columns::default());
                            Ok(None)
                        }
                    };
                }
                if self.row > 0 && !scanner.skip(b',').map_err(failed)? {
                    return Err(malformed("expected a comma or the end of the list"));
                }
                scanner.read_value(text).map_err(failed)?;
            }
        }
        self.row = row;
        Ok(Some(row))
    }
}

/// Skips empty lines and returns their number.
fn skip_blank_lines(path: &Path, scanner: &mut Scanner<Reader>) -> Result<usize, DataError> {
    scanner.skip_whitespace().map_err(|error| read_error(path, 0, error))
}

/// Reads the next line that is not empty.
fn next_line(
    path: &Path,
    reader: &mut Reader,
    row: &mut usize,
    line: &mut Vec<u8>,
) -> Result<Option<usize>, DataError> {
    loop {
        line.clear();
        if reader.read_until(b'\n', line).map_err(|error| read_error(path, *row + 1, error))? == 0 {
            return Ok(None);
        }
        *row += 1;
        if line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(*row));
        }
    }
}

/// Finds the list of rows under a key of the object.
fn field_of(path: &Path, mut scanner: Scanner<Reader>, field: &str) -> Result<Layout, DataError> {
    let failed = |error| read_error(path, 0, error);
    let shape = |reason: String| DataError::JsonShape { path: path.to_path_buf(), reason, suggestion: None };
    let (mut keys, mut value) = (Vec::new(), Vec::new());
    scanner.skip(b'{').map_err(failed)?;
    while scanner.peek().map_err(failed)? == Some(b'"') {
        scanner.read_value(&mut value).map_err(failed)?;
        let key: String =
            serde_json::from_slice(&value).map_err(|error| shape(format!("not JSON: {error}")))?;
        scanner.skip(b':').map_err(failed)?;
        if key == field {
            return match scanner.peek().map_err(failed)? {
                Some(b'[') => {
                    scanner.skip(b'[').map_err(failed)?;
                    Ok(Layout::List { scanner, is_field: true })
                }
                _ => {
                    scanner.read_value(&mut value).map_err(failed)?;
                    let columns = Columns::of_object(&value).map(Layout::Columns);
                    columns.ok_or_else(|| shape(format!("the value of {field:?} is not a list of objects")))
                }
            };
        }
        keys.push(key);
        scanner.skip_value().map_err(failed)?;
        scanner.skip(b',').map_err(failed)?;
    }
    let found = quoted(keys.iter().map(String::as_str));
    Err(shape(format!("no key {field:?}; the keys of the document are {found}")))
}

/// Returns an error for an object that has the rows under one of its keys.
fn require_no_list(path: &Path, object: &[u8]) -> Result<(), DataError> {
    match super::columns_object::list_of_objects(object) {
        Some(key) => Err(DataError::JsonShape {
            path: path.to_path_buf(),
            reason: format!("the file is one object, whose key {key:?} has a list of objects; name this key"),
            suggestion: Some(key),
        }),
        None => Ok(()),
    }
}
