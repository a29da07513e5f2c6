//! Raw labels of a column: a value or a list of values for each row.

use serde_json::Value;

#[cfg(feature = "parquet")]
use super::arrow_values;
use super::column::{Cell, ColumnValues};
use crate::error::DataError;
use crate::label_encoding::{RawLabel, RawTarget, is_not_available};
use crate::table::{Column, Table, Values};

/// Returns the raw labels of a column.
pub(super) fn of_column(values: ColumnValues, table: &Table) -> Result<Vec<RawTarget>, DataError> {
    let ColumnValues { column, values } = values;
    let cell = |index| Cell { table, column: &column, index };
    match values {
        Values::Column(Column::Text(cells)) => Ok(cells.into_iter().map(of_cell).collect()),
        Values::Column(Column::Texts(rows)) => {
            let list = |row: Vec<String>| RawTarget::List(row.into_iter().map(RawLabel::Text).collect());
            Ok(rows.into_iter().map(list).collect())
        }
        Values::Column(Column::Number(numbers)) => Ok(numbers
            .into_iter()
            .map(|number| RawTarget::Value(RawLabel::from_float(number.into())))
            .collect()),
        Values::Column(Column::Numbers(rows)) => {
            let list = |row: Vec<f32>| row.into_iter().map(|number| RawLabel::from_float(number.into()));
            Ok(rows.into_iter().map(|row| RawTarget::List(list(row).collect())).collect())
        }
        Values::Json(values) => {
            let values = values.into_iter().enumerate();
            values.map(|(index, json)| of_json(json.as_deref(), cell(index))).collect()
        }
        #[cfg(feature = "parquet")]
        Values::Arrow(chunks) => arrow_values::targets(chunks, cell(0)),
    }
}

/// Returns one target per row, with the value of each column; an error if a column has lists.
pub(super) fn transposed(
    columns: Vec<(String, Vec<RawTarget>)>,
    table: &Table,
) -> Result<Vec<RawTarget>, DataError> {
    let num_rows = columns.first().map_or(0, |(_, targets)| targets.len());
    let mut rows = vec![Vec::with_capacity(columns.len()); num_rows];
    for (column, targets) in columns {
        for (index, (row, target)) in rows.iter_mut().zip(targets).enumerate() {
            let RawTarget::Value(value) = target else {
                let cell = Cell { table, column: &column, index };
                return Err(
                    cell.wrong_type(&Value::Array(vec![]), "a number, as there are several label columns")
                );
            };
            row.push(value);
        }
    }
    Ok(rows.into_iter().map(RawTarget::Columns).collect())
}

/// Splits a text into a list of labels. Parts are trimmed; empty parts are left out. Words for null stay.
pub(super) fn split(target: &mut RawTarget, separator: &str) {
    let (text, of_part): (_, fn(String) -> RawLabel) = match &*target {
        RawTarget::Value(RawLabel::Cell(text)) => (text, RawLabel::Cell),
        RawTarget::Value(RawLabel::Text(text)) => (text, RawLabel::Text),
        RawTarget::Value(_) | RawTarget::List(_) | RawTarget::Columns(_) => return,
    };
    if is_not_available(text) {
        return;
    }
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    *target = RawTarget::List(parts.map(|part| of_part(part.to_owned())).collect());
}

fn of_cell(cell: String) -> RawTarget {
    let trimmed = cell.trim();
    RawTarget::Value(RawLabel::Cell(if trimmed.len() == cell.len() { cell } else { trimmed.to_owned() }))
}

fn of_json(json: Option<&str>, cell: Cell<'_>) -> Result<RawTarget, DataError> {
    const EXPECTED: &str = "an integer, text or a boolean";
    Ok(match cell.parse(json)? {
        Value::Array(values) => {
            let label = |value: Value| match json_label(value) {
                Ok(RawLabel::Missing) => Err(cell.wrong_type(&Value::Null, EXPECTED)),
                label => label.map_err(|other| cell.wrong_type(&other, EXPECTED)),
            };
            RawTarget::List(values.into_iter().map(label).collect::<Result<_, _>>()?)
        }
        value => RawTarget::Value(json_label(value).map_err(|other| cell.wrong_type(&other, EXPECTED))?),
    })
}

/// Converts a JSON value; the error is a value of another type.
fn json_label(value: Value) -> Result<RawLabel, Value> {
    Ok(match value {
        Value::Null => RawLabel::Missing,
        Value::String(name) => RawLabel::Text(name),
        Value::Bool(label) => RawLabel::Boolean(label),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => RawLabel::Integer(number.into()),
            (_, Some(number), _) => RawLabel::Integer(number.into()),
            (.., number) => number.map_or(RawLabel::Missing, RawLabel::from_float),
        },
        other => return Err(other),
    })
}
