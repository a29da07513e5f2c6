//! Converts tables to arrow batches of one schema. Each column gets the arrow type that stores its values exactly.
//!
//! The first table decides the types. A later value that does not fit is an error.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, ListBuilder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::Table;
use super::column::{Column, Values};
use super::json_column::{Json, JsonValues, text};
use crate::error::DataError;
use crate::json_type::{JsonType, PossibleTypes};

/// Rows of a batch.
const ROWS: usize = 1024;

/// The schema of the first table.
pub(super) struct ArrowBatches {
    path: PathBuf,
    schema: SchemaRef,
}

impl ArrowBatches {
    /// Takes the types of a table. `path` is the output file.
    ///
    /// If `plain`, dictionaries are replaced by their values: an arrow file cannot have several for one column.
    pub(super) fn new(path: &Path, table: &Table, plain: bool) -> Self {
        let fields = table.columns.iter().map(|(name, values)| {
            let data_type = match values {
                Values::Column(Column::Text(_)) => DataType::Utf8,
                Values::Column(Column::Number(_)) => DataType::Float32,
                Values::Column(column @ (Column::Texts(_) | Column::Numbers(_))) => {
                    result_array(column, 0..0).data_type().clone()
                }
                Values::Json(values) => arrow_type(values.json_type()),
                Values::Arrow(chunks) => {
                    chunks.arrays.first().map_or(DataType::Null, |array| match array.data_type() {
                        DataType::Dictionary(_, values) if plain => values.as_ref().clone(),
                        other => other.clone(),
                    })
                }
            };
            Field::new(name, data_type, true)
        });
        Self { path: path.to_path_buf(), schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())) }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Returns the rows of a table, in batches of at most 1,024 rows.
    pub(super) fn of_table(&self, table: &Table) -> impl Iterator<Item = Result<RecordBatch, DataError>> {
        table_batches(table).into_iter().map(|rows| self.batch(table, rows))
    }

    fn batch(&self, table: &Table, rows: Range<usize>) -> Result<RecordBatch, DataError> {
        let columns = table.columns.iter().zip(self.schema.fields());
        let arrays = columns.map(|((_, values), field)| self.array(table, values, field, rows.clone()));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| self.failed(&error))
    }

    /// Returns an arrow array of these rows, which must be within one array of an arrow column.
    fn array(
        &self,
        table: &Table,
        values: &Values,
        field: &Field,
        rows: Range<usize>,
    ) -> Result<ArrayRef, DataError> {
        let array = match values {
            Values::Column(column) => result_array(column, rows),
            Values::Json(values) => {
                let array = json_array(&values[rows.clone()], field.data_type());
                return array.ok_or_else(|| self.unfit(table, values, field, rows));
            }
            Values::Arrow(chunks) => {
                let (length, (chunk, row)) = (rows.len(), chunks.find(rows.start));
                chunk.slice(row, length)
            }
        };
        if array.data_type() == field.data_type() {
            return Ok(array);
        }
        arrow_cast::cast(&array, field.data_type()).map_err(|error| self.failed(&error))
    }

    /// Returns the error for the first value that does not have the type of its column.
    fn unfit(&self, table: &Table, values: &JsonValues, field: &Field, mut rows: Range<usize>) -> DataError {
        let is_unfit = |row: &usize| json_array(&values[*row..*row + 1], field.data_type()).is_none();
        let row = rows.find(is_unfit).unwrap_or(rows.start);
        DataError::ValueType {
            path: table.path.clone(),
            row: table.row_number(row),
            column: field.name().clone(),
            found: values[row].as_deref().unwrap_or("null").chars().take(100).collect(),
            expected: "a value of the type of the rows before it, as the output has typed columns; write .jsonl",
        }
    }

    fn failed(&self, error: &arrow_schema::ArrowError) -> DataError {
        DataError::io(&self.path)(std::io::Error::other(error.to_string()))
    }
}

/// Returns ranges of rows, each within one array of each arrow column.
fn table_batches(table: &Table) -> Vec<Range<usize>> {
    let mut ends = (0..table.rows()).step_by(ROWS).skip(1).chain([table.rows()]).collect::<Vec<_>>();
    for (_, values) in &table.columns {
        if let Values::Arrow(chunks) = values {
            ends.extend(chunks.ends());
        }
    }
    ends.sort_unstable();
    ends.dedup();
    let begins = std::iter::once(0).chain(ends.clone());
    begins.zip(ends).filter(|(begin, end)| begin < end).map(|(begin, end)| begin..end).collect()
}

fn arrow_type(json_type: JsonType) -> DataType {
    match json_type {
        JsonType::Boolean => DataType::Boolean,
        JsonType::Int64 => DataType::Int64,
        JsonType::UInt64 => DataType::UInt64,
        JsonType::Float64 => DataType::Float64,
        JsonType::Text => DataType::Utf8,
    }
}

fn result_array(column: &Column, rows: Range<usize>) -> ArrayRef {
    match column {
        Column::Text(values) => Arc::new(StringArray::from_iter_values(&values[rows])),
        Column::Number(values) => Arc::new(Float32Array::from(values[rows].to_vec())),
        Column::Texts(values) => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for list in &values[rows] {
                list.iter().for_each(|text| lists.values().append_value(text));
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
        Column::Numbers(values) => {
            let mut lists = ListBuilder::new(Float32Builder::new());
            for list in &values[rows] {
                lists.values().append_slice(list);
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
    }
}

/// Returns an array of a type; `None` if a value does not fit.
fn json_array(values: &[Json], data_type: &DataType) -> Option<ArrayRef> {
    let mut types = PossibleTypes::new();
    values.iter().flatten().for_each(|json| types.add(json));
    Some(match data_type {
        DataType::Boolean if types.fits(JsonType::Boolean) => Arc::new(BooleanArray::from(parsed(values))),
        DataType::Int64 if types.fits(JsonType::Int64) => Arc::new(Int64Array::from(parsed(values))),
        DataType::UInt64 if types.fits(JsonType::UInt64) => Arc::new(UInt64Array::from(parsed(values))),
        DataType::Float64 if types.fits(JsonType::Float64) => Arc::new(Float64Array::from(parsed(values))),
        DataType::Utf8 => {
            let value = |json: &str| text(json).unwrap_or_else(|| json.to_owned());
            Arc::new(values.iter().map(|json| not_null(json).map(value)).collect::<StringArray>())
        }
        _ => return None,
    })
}

fn not_null(json: &Json) -> Option<&str> {
    json.as_deref().filter(|json| *json != "null")
}

fn parsed<T: std::str::FromStr>(values: &[Json]) -> Vec<Option<T>> {
    values.iter().map(|json| not_null(json)?.parse().ok()).collect()
}
