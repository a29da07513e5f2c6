//! Texts of a column, and texts of several columns joined by a delimiter.

use serde_json::Value;

#[cfg(feature = "parquet")]
use super::arrow_values;
use super::column::{Cell, ColumnValues};
use crate::error::DataError;
use crate::table::{Column, Table, Values};

const EXPECTED: &str = "text";

/// Returns the texts of a column; an error if one is null.
pub(super) fn of_column(values: ColumnValues, table: &Table) -> Result<Vec<String>, DataError> {
    let column = values.column.clone();
    let texts = optional(values, table)?.into_iter().enumerate();
    texts.map(|(index, text)| text.ok_or_else(|| Cell { table, column: &column, index }.null())).collect()
}

/// Joins the texts of each row. A null and an empty csv cell are left out with their delimiter.
///
/// # Errors
///
/// [`DataError::Null`] if all texts of a row are null.
pub(super) fn joined(
    mut columns: Vec<ColumnValues>,
    delimiter: &str,
    table: &Table,
) -> Result<Vec<String>, DataError> {
    if columns.len() == 1 {
        return of_column(columns.remove(0), table);
    }
    let mut joined: Vec<Option<String>> = vec![];
    let first = columns.first().map(|values| values.column.clone()).unwrap_or_default();
    let mut has_cells = false;
    for values in columns {
        let is_cells = matches!(values.values, Values::Column(_));
        has_cells |= is_cells;
        let parts =
            optional(values, table)?.into_iter().map(|part| part.filter(|it| !(is_cells && it.is_empty())));
        for (index, part) in parts.enumerate() {
            match joined.get_mut(index) {
                Some(text) => append(text, part, delimiter),
                None => joined.push(part),
            }
        }
    }
    let required = |(index, text): (usize, Option<String>)| match text {
        None if !has_cells => Err(Cell { table, column: &first, index }.null()),
        text => Ok(text.unwrap_or_default()),
    };
    joined.into_iter().enumerate().map(required).collect()
}

fn append(text: &mut Option<String>, part: Option<String>, delimiter: &str) {
    match (text.as_mut(), part) {
        (Some(text), Some(part)) => {
            text.push_str(delimiter);
            text.push_str(&part);
        }
        (None, part) => *text = part,
        (Some(_), None) => {}
    }
}

/// Returns the texts of a column; `None` for null.
fn optional(values: ColumnValues, table: &Table) -> Result<Vec<Option<String>>, DataError> {
    let ColumnValues { column, values } = values;
    let cell = |index| Cell { table, column: &column, index };
    match values {
        Values::Column(Column::Text(texts)) => Ok(texts.into_iter().map(Some).collect()),
        Values::Column(_) => Err(cell(0).column_type("numbers".to_owned(), EXPECTED)),
        Values::Json(values) => {
            let text = |(index, json): (usize, Option<Box<str>>)| match cell(index).parse(json.as_deref())? {
                Value::String(text) => Ok(Some(text)),
                Value::Null => Ok(None),
                other => Err(cell(index).wrong_type(&other, EXPECTED)),
            };
            values.into_iter().enumerate().map(text).collect()
        }
        #[cfg(feature = "parquet")]
        Values::Arrow(chunks) => arrow_values::texts(chunks, cell(0)),
    }
}
