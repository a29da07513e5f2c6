//! Applies a label map: replaces each value by its name.

use std::collections::BTreeSet;

use super::raw::{RawFile, RawLabel};
use crate::error::DataError;
use crate::formatting::quoted;
use crate::label_map::LabelMap;

/// Replaces all labels by their names in the map. `names` are the label names of the file for its integers.
///
/// # Errors
///
/// [`DataError::UnmappedLabels`] with all values that the map lacks.
pub(super) fn map_labels(
    files: &mut [RawFile],
    map: &LabelMap,
    names: Option<&[String]>,
) -> Result<(), DataError> {
    let mut first = None;
    let mut unmapped = BTreeSet::new();
    for file in files {
        for row in &mut file.rows {
            for label in row.target.labels_mut() {
                match name(label, map, names) {
                    Some(name) => *label = RawLabel::Text(name.to_owned()),
                    None => {
                        first.get_or_insert((file.path.clone(), row.row));
                        unmapped.insert(label.text().into_owned());
                    }
                }
            }
        }
    }
    let Some((path, row)) = first else { return Ok(()) };
    let values = quoted(unmapped.iter().map(String::as_str));
    Err(DataError::UnmappedLabels { path, row, values, mapped: quoted(map.values()) })
}

fn name<'a>(label: &RawLabel, map: &'a LabelMap, names: Option<&[String]>) -> Option<&'a str> {
    let name_of_file = || match label {
        RawLabel::Integer(id) => names?.get(usize::try_from(*id).ok()?),
        _ => None,
    };
    map.name(&label.text()).or_else(|| map.name(name_of_file()?))
}
