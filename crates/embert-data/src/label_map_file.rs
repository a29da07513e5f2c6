//! Label maps in files: a JSON object, or a csv or tsv file of two columns.

use std::path::Path;

use crate::error::DataError;
use crate::format::Format;
use crate::label_map::LabelMap;
use crate::options::ReadOptions;
use crate::table::{self, Column, Values};

impl LabelMap {
    /// Reads a map from a file: a JSON object, or a csv or tsv file of two columns with a header.
    ///
    /// # Errors
    ///
    /// A [`DataError`] that names the file.
    pub fn from_file(path: &Path) -> Result<Self, DataError> {
        let source = path.display().to_string();
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let pairs = if is_json { json_pairs(path)? } else { delimited_pairs(path)? };
        Self::new(&source, pairs)
    }
}

/// Reads the pairs of a JSON object, in the order of the file.
fn json_pairs(path: &Path) -> Result<Vec<(String, String)>, DataError> {
    let invalid = |reason| DataError::LabelMap { map: path.display().to_string(), reason };
    let content = std::fs::read_to_string(path).map_err(DataError::io(path))?;
    let content = content.trim_start_matches('\u{feff}');
    let pairs: JsonPairs = serde_json::from_str(content)
        .map_err(|error| invalid(format!("not a JSON object of text: {error}")))?;
    Ok(pairs.0)
}

/// The keys and the values of a JSON object. A map of serde_json would sort or merge its keys.
struct JsonPairs(Vec<(String, String)>);

impl<'de> serde::Deserialize<'de> for JsonPairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = JsonPairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of text, such as {\"0\": \"negative\"}")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(JsonPairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// Reads the pairs of a csv or tsv file of two columns.
fn delimited_pairs(path: &Path) -> Result<Vec<(String, String)>, DataError> {
    let invalid =
        |reason: &str| DataError::LabelMap { map: path.display().to_string(), reason: reason.to_owned() };
    if !matches!(Format::by_extension(path), Ok(Format::Delimited(_))) {
        return Err(invalid("expected a .json, .csv or .tsv file"));
    }
    let (table, _) = table::read_columns(path, &ReadOptions::default(), None)?;
    let mut columns = table.into_values().into_iter();
    match (columns.next(), columns.next(), columns.next()) {
        (Some(Values::Column(Column::Text(values))), Some(Values::Column(Column::Text(names))), None) => {
            Ok(values.into_iter().zip(names).collect())
        }
        _ => Err(invalid("expected two columns: values and names")),
    }
}
