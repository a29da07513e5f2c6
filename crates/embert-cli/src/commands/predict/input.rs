//! The rows to predict, in chunks: arguments, lines of standard input, a file, or an Arrow stream.

use std::io::{self, BufRead, stdin};
use std::path::Path;

use embert_data::{LoadedTexts, ReadOptions, Table, TableReader, clean};

use crate::error::CliError;
use crate::recipe::DataSection;
use crate::{hints, output};

/// The number of lines of a chunk of standard input.
const LINES: usize = 4096;

/// How texts are read.
pub(super) struct Reading {
    options: ReadOptions,
    clean: bool,
}

/// Some rows: the columns of the input (none for arguments and lines), and their texts.
pub(super) struct Chunk {
    pub(super) columns: Table,
    pub(super) texts: Vec<String>,
    pub(super) pairs: Option<Vec<String>>,
}

/// The chunks of an input.
pub(super) type Chunks<'a> = Box<dyn Iterator<Item = Result<Chunk, CliError>> + 'a>;

impl Reading {
    pub(super) fn new(data: &DataSection) -> Result<Self, CliError> {
        Ok(Self { options: data.read_options(None)?, clean: data.clean })
    }

    fn is_pair(&self) -> bool {
        self.options.columns.text_pair.is_some()
    }

    /// Returns the texts of arguments as one chunk.
    pub(super) fn arguments(&self, texts: &[String], pairs: &[String]) -> Result<Chunk, CliError> {
        let expected = if self.is_pair() { texts.len() } else { 0 };
        if pairs.len() != expected {
            return Err(CliError::usage(format!(
                "the model takes {}: found {} and {} of --text_pair",
                if self.is_pair() { "pairs of texts" } else { "single texts" },
                counted(texts.len()),
                pairs.len()
            )));
        }
        Ok(self.chunk(Table::default(), texts.to_vec(), self.is_pair().then(|| pairs.to_vec())))
    }

    /// Reads lines of standard input. In lines of pairs, a tab separates the texts.
    pub(super) fn lines(&self) -> Chunks<'_> {
        let mut lines = (1..).zip(stdin().lock().lines());
        Box::new(std::iter::from_fn(move || {
            let lines = lines.by_ref().take(LINES).collect::<Vec<_>>();
            (!lines.is_empty()).then(|| self.chunk_of_lines(lines))
        }))
    }

    /// Reads a file.
    pub(super) fn file(&self, path: &Path) -> Result<Chunks<'_>, CliError> {
        Ok(self.tables(TableReader::open(path, &self.options)?))
    }

    /// Reads an Arrow IPC stream.
    pub(super) fn arrow_stream(&self) -> Result<Chunks<'_>, CliError> {
        Ok(self.tables(TableReader::arrow_stream(stdin())?))
    }

    fn tables(&self, tables: TableReader) -> Chunks<'_> {
        let mut has_warned = false;
        Box::new(tables.map(move |table| {
            let table: Table = table?;
            let LoadedTexts { texts, text_pairs, notes } = table.texts(&self.options)?;
            if !has_warned {
                notes.iter().map(hints::of_note).for_each(output::warn);
                has_warned |= !notes.is_empty();
            }
            Ok(self.chunk(table, texts, text_pairs))
        }))
    }

    fn chunk_of_lines(&self, lines: Vec<(usize, io::Result<String>)>) -> Result<Chunk, CliError> {
        let (mut texts, mut pairs) = (vec![], vec![]);
        for (number, line) in lines {
            let wrong =
                |reason: String| CliError::rejected(format!("standard input, line {number}: {reason}"));
            let line = line.map_err(|error| wrong(error.to_string()))?;
            match line.split_once('\t') {
                Some((text, pair)) if self.is_pair() => {
                    texts.push(text.to_owned());
                    pairs.push(pair.to_owned());
                }
                None if self.is_pair() => {
                    return Err(wrong("the model takes pairs of texts; separate them by a tab".into()));
                }
                _ => texts.push(line),
            }
        }
        Ok(self.chunk(Table::default(), texts, self.is_pair().then_some(pairs)))
    }

    fn chunk(&self, columns: Table, mut texts: Vec<String>, mut pairs: Option<Vec<String>>) -> Chunk {
        if self.clean {
            texts.iter_mut().chain(pairs.iter_mut().flatten()).for_each(|text| *text = clean(text));
        }
        Chunk { columns, texts, pairs }
    }
}

fn counted(texts: usize) -> String {
    if texts == 1 { "1 text".into() } else { format!("{texts} texts") }
}
