//! Reads txt files in chunks: one text per line, or the lines of fastText, `__label__name text`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::find_column::find_column;
use crate::input::{self, Bytes, TextEncoding, read_error};
use crate::options::ReadOptions;
use crate::table::{Chunk, ChunkSize, Column, JsonValues, Values};

/// The prefix of labels in fastText's files.
const LABEL_PREFIX: &str = "__label__";

/// What a line contains.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Layout {
    Text,
    /// At most one label, then the text.
    Label,
    /// Labels, then the text.
    Labels,
}

/// An open txt file, with the columns `text`, or `label` and `text`.
pub(crate) struct TextReader {
    lines: Lines,
    layout: Layout,
    keeps: [bool; 2],
}

impl TextReader {
    /// Opens a file. With `wanted`, reads only these columns.
    ///
    /// This reads the file once if its first line begins with a label, to find out if rows have several labels.
    pub(crate) fn open(
        path: &Path,
        options: &ReadOptions,
        wanted: Option<&[(&str, ColumnRole)]>,
    ) -> Result<Self, DataError> {
        let layout = Layout::of(&mut Lines::open(path, options.csv_encoding)?)?;
        let names = if layout == Layout::Text { &["text"][..] } else { &["label", "text"] };
        for (column, role) in wanted.unwrap_or_default() {
            find_column(path, names.iter().copied(), column, *role)?;
        }
        let keeps = ["label", "text"].map(|name| {
            names.contains(&name)
                && wanted.is_none_or(|wanted| wanted.iter().any(|(column, _)| column.trim() == name))
        });
        Ok(Self { lines: Lines::open(path, options.csv_encoding)?, layout, keeps })
    }

    /// Returns the next rows; `None` at the end.
    pub(crate) fn next_chunk(&mut self, size: ChunkSize) -> Result<Option<Chunk>, DataError> {
        let (mut labels, mut texts, mut bytes) = (Vec::<Vec<String>>::new(), Vec::new(), 0);
        let first = self.lines.row;
        while size.has_room(texts.len(), bytes) {
            let Some(line) = self.lines.next()? else { break };
            bytes += line.len();
            let (found, text) = if self.layout == Layout::Text { (vec![], line) } else { split_labels(line) };
            labels.push(found.into_iter().map(str::to_owned).collect());
            texts.push(text.to_owned());
        }
        if texts.is_empty() {
            return Ok(None);
        }
        let mut columns = Vec::new();
        if self.keeps[0] {
            columns.push(("label".to_owned(), self.layout.labels(labels)));
        }
        if self.keeps[1] {
            columns.push(("text".to_owned(), Values::Column(Column::Text(texts))));
        }
        Ok(Some(Chunk::numbered(columns, first)))
    }
}

impl Layout {
    /// Returns the column of labels: cells that are empty without a label, or lists.
    fn labels(self, labels: Vec<Vec<String>>) -> Values {
        if self == Self::Labels {
            let list = |labels: Vec<String>| Some(serde_json::Value::from(labels).to_string().into());
            return Values::Json(JsonValues::new(labels.into_iter().map(list).collect(), None));
        }
        let first = |mut labels: Vec<String>| labels.pop().unwrap_or_default();
        Values::Column(Column::Text(labels.into_iter().map(first).collect()))
    }

    /// Returns the layout of a file. Its first line that is not blank decides if lines have labels.
    fn of(lines: &mut Lines) -> Result<Self, DataError> {
        let mut layout = Self::Text;
        while let Some(line) = lines.next()? {
            if layout == Self::Text && line.trim().is_empty() {
                continue;
            }
            match split_labels(line).0.len() {
                0 if layout == Self::Text => return Ok(Self::Text),
                0 | 1 => layout = Self::Label,
                _ => return Ok(Self::Labels),
            }
        }
        Ok(layout)
    }
}

/// Splits a line into the labels at its start and the text.
fn split_labels(line: &str) -> (Vec<&str>, &str) {
    let (mut labels, mut rest) = (Vec::new(), line);
    while let Some(label) = rest.trim_start().strip_prefix(LABEL_PREFIX) {
        let end = label.find(char::is_whitespace).unwrap_or(label.len());
        labels.push(&label[..end]);
        rest = label[end..].trim_start();
    }
    (labels, rest)
}

/// The lines of a file.
struct Lines {
    path: PathBuf,
    reader: BufReader<Bytes>,
    line: Vec<u8>,
    row: usize,
}

impl Lines {
    fn open(path: &Path, encoding: Option<TextEncoding>) -> Result<Self, DataError> {
        let reader = BufReader::with_capacity(64 << 10, input::open_text(path, encoding)?);
        Ok(Self { path: path.to_path_buf(), reader, line: vec![], row: 0 })
    }

    /// Returns the next line without its end: `\n` or `\r\n`.
    fn next(&mut self) -> Result<Option<&str>, DataError> {
        let (path, row) = (&self.path, self.row + 1);
        self.line.clear();
        let read = self.reader.read_until(b'\n', &mut self.line);
        if read.map_err(|error| read_error(path, row, error))? == 0 {
            return Ok(None);
        }
        self.row = row;
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let undecodable = |_| DataError::undecodable(path, row, "utf-8".to_owned(), line);
        std::str::from_utf8(line).map(Some).map_err(undecodable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_split_from_the_text() {
        for (line, labels, text) in [
            ("__label__pos good", &["pos"][..], "good"),
            ("__label__a __label__b  two labels", &["a", "b"], "two labels"),
            ("__label__a", &["a"], ""),
            ("  __label__a\ttext __label__b", &["a"], "text __label__b"),
            ("no label", &[], "no label"),
            ("", &[], ""),
        ] {
            assert_eq!(split_labels(line), (labels.to_vec(), text), "{line:?}");
        }
    }
}
