//! Converts the columns of a table to rows of texts and raw labels, in the same way for every file format.

#[cfg(feature = "parquet")]
mod arrow_values;
mod column;
mod labels;
mod texts;

use crate::columns::ColumnRole;
use crate::error::DataError;
use crate::label_encoding::{RawFile, RawRow, RawTarget};
use crate::note::DataNote;
use crate::options::ReadOptions;
use crate::table::{Table, Values};
use column::ColumnValues;

/// The texts of a table, or its pairs of texts, in the order of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadedTexts {
    /// The texts. The texts of several columns are joined.
    pub texts: Vec<String>,
    /// The second text of each pair, if the options name a column for them.
    pub text_pairs: Option<Vec<String>>,
    /// Notes for the user, one line each.
    pub notes: Vec<DataNote>,
}

impl Table {
    /// Returns the texts or pairs of texts in the columns that the options name, and notes about them.
    ///
    /// # Errors
    ///
    /// A [`DataError`] if a column does not exist or a value is not text; it names the row.
    pub fn texts(&self, options: &ReadOptions) -> Result<LoadedTexts, DataError> {
        texts(self.select(&options.columns.of_texts())?, options)
    }
}

/// Returns the texts of the columns that the options name.
pub(crate) fn texts(table: Table, options: &ReadOptions) -> Result<LoadedTexts, DataError> {
    let mut source = Source { table, wanted: options.columns.of_texts() };
    let (texts, text_pairs) = source.texts(options)?;
    let pair = |index: usize| text_pairs.as_ref().map(|pairs| pairs[index].as_str());
    let rows = texts.iter().enumerate();
    let rows = rows.map(|(index, text)| (text.as_str(), pair(index), source.table.row_number(index)));
    let notes = DataNote::about_blank_texts(source.table.path(), rows).into_iter().collect();
    Ok(LoadedTexts { texts, text_pairs, notes })
}

/// Returns the rows of a table, with the texts and the raw labels of the columns that the options name.
///
/// Takes the columns out of the table, so that texts are in memory once.
pub(crate) fn raw_rows(table: Table, options: &ReadOptions) -> Result<RawFile, DataError> {
    let path = table.path().to_path_buf();
    let names = match &options.columns.labels[..] {
        [column] => table.label_names(column).map(<[String]>::to_vec),
        _ => None,
    };
    if table.rows() == 0 {
        return Ok(RawFile { path, rows: vec![], names, notes: vec![] });
    }
    let mut source = Source { table, wanted: options.columns.with_labels() };
    let (texts, pairs) = source.texts(options)?;
    let targets = source.targets(options)?;
    let row_number = |index| source.table.row_number(index);
    let mut pairs = pairs.map(Vec::into_iter);
    let mut next_pair = || pairs.as_mut().and_then(Iterator::next);
    let rows = texts.into_iter().zip(targets).enumerate().map(|(index, (text, target))| RawRow {
        row: row_number(index),
        text,
        text_pair: next_pair(),
        target,
    });
    Ok(RawFile { path, rows: rows.collect(), names, notes: vec![] })
}

/// A table, and the columns that are still to be taken out of it.
struct Source<'a> {
    table: Table,
    wanted: Vec<(&'a str, ColumnRole)>,
}

impl Source<'_> {
    /// Takes the next wanted column. Copies it if it is wanted again.
    fn next(&mut self) -> Result<Option<ColumnValues>, DataError> {
        if self.wanted.is_empty() {
            return Ok(None);
        }
        let (column, role) = self.wanted.remove(0);
        let is_wanted_again = self.wanted.iter().any(|(other, _)| other.trim() == column.trim());
        let values: Values = match is_wanted_again {
            true => self.table.values(column, role)?,
            false => self.table.take(column, role)?,
        };
        Ok(Some(ColumnValues { column: column.to_owned(), values }))
    }

    /// Takes the columns of texts and of second texts.
    fn texts(&mut self, options: &ReadOptions) -> Result<(Vec<String>, Option<Vec<String>>), DataError> {
        let mut columns = Vec::new();
        for _ in &options.columns.texts {
            columns.extend(self.next()?);
        }
        let texts = texts::joined(columns, &options.text_column_delimiter, &self.table)?;
        let pairs = match &options.columns.text_pair {
            Some(_) => self.next()?.map(|column| texts::of_column(column, &self.table)).transpose()?,
            None => None,
        };
        Ok((texts, pairs))
    }

    /// Takes the columns of labels. The labels of several columns become the columns of each row.
    fn targets(&mut self, options: &ReadOptions) -> Result<Vec<RawTarget>, DataError> {
        let mut columns = Vec::new();
        while let Some(column) = self.next()? {
            columns.push((column.column.clone(), labels::of_column(column, &self.table)?));
        }
        if columns.len() != 1 {
            return labels::transposed(columns, &self.table);
        }
        let (_, mut targets) = columns.remove(0);
        if let Some(separator) = &options.label_separator {
            targets.iter_mut().for_each(|target| labels::split(target, separator));
        }
        Ok(targets)
    }
}
