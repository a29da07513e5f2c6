//! Applies a label map: replaces each value by its name.

use std::collections::BTreeSet;
use std::path::Path;

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

/// Returns the names of the ids 0, 1 and so on in the map, or those of the names of the file.
///
/// # Errors
///
/// [`DataError::UnmappedLabels`] with all ids that the map lacks.
pub(super) fn names_of_ids(
    map: &LabelMap,
    count: usize,
    names: Option<&[String]>,
    path: &Path,
    row: usize,
) -> Result<Vec<String>, DataError> {
    let name = |id: usize| name(&RawLabel::Integer(id as i128), map, names).map(str::to_owned).ok_or(id);
    let (found, unmapped): (Vec<_>, Vec<_>) = (0..count).map(name).partition(Result::is_ok);
    let unmapped = unmapped.into_iter().filter_map(Result::err).map(|id| id.to_string()).collect::<Vec<_>>();
    if unmapped.is_empty() {
        return Ok(found.into_iter().flatten().collect());
    }
    let values = quoted(unmapped.iter().map(String::as_str));
    Err(DataError::UnmappedLabels { path: path.to_path_buf(), row, values, mapped: quoted(map.values()) })
}

fn name<'a>(label: &RawLabel, map: &'a LabelMap, names: Option<&[String]>) -> Option<&'a str> {
    let name_of_file = || match label {
        RawLabel::Integer(id) => names?.get(usize::try_from(*id).ok()?),
        _ => None,
    };
    map.name(&label.text()).or_else(|| map.name(name_of_file()?))
}
