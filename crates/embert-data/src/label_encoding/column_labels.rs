//! Labels or targets by position: of several columns, or of the flags in a list.

use std::path::Path;

use super::known::KnownLabels;
use crate::dataset::Labels;
use crate::error::DataError;
use crate::formatting::quoted;
use crate::note::DataNote;
use crate::options::ReadOptions;

/// The labels, and the id of each column or of each flag.
pub(super) struct ColumnLabels {
    pub(super) labels: Labels,
    pub(super) ids: Vec<usize>,
    pub(super) notes: Vec<DataNote>,
}

impl ColumnLabels {
    /// Returns the names of the label columns, or the known labels in their order.
    ///
    /// # Errors
    ///
    /// [`DataError::LabelColumns`] unless each known label has exactly one column.
    pub(super) fn new(path: &Path, options: &ReadOptions, known: Option<&Labels>) -> Result<Self, DataError> {
        let columns = &options.columns.labels;
        let name = |column: &String| {
            let map = options.label_map.as_ref();
            map.and_then(|map| map.name(column)).unwrap_or(column.trim()).to_owned()
        };
        let names = columns.iter().map(name).collect::<Vec<_>>();
        let Some(known) = known else {
            return Ok(Self { ids: (0..names.len()).collect(), labels: Labels::new(names)?, notes: vec![] });
        };
        let lookup = KnownLabels::new(known, Some(&names));
        let ids = lookup.ids_of_file().iter().flatten().copied().collect::<Vec<_>>();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        if names.len() != known.len() || !sorted.iter().copied().eq(0..known.len()) {
            return Err(DataError::LabelColumns {
                path: path.to_path_buf(),
                columns: quoted(names.iter().map(String::as_str)),
                known: quoted(known.names().iter().map(String::as_str)),
            });
        }
        Ok(Self { labels: known.clone(), ids, notes: lookup.notes(path) })
    }
}
