//! Encodes lists of 0 and 1 with a flag for each label, such as `[0, 0, 1, 0]`.

use std::path::Path;

use super::column_labels::ColumnLabels;
use super::known::KnownLabels;
use super::label_type::LabelValue;
use super::mapped::names_of_ids;
use super::raw::{RawFile, RawLabel, RawTarget};
use super::{Encoded, flags, unknown_label};
use crate::dataset::Labels;
use crate::error::DataError;
use crate::formatting::quoted;
use crate::note::DataNote;
use crate::options::ReadOptions;

/// Lists of flags: all have the same length, and one repeats a value, so they are no lists of ids.
pub(super) struct MultiHot {
    /// The number of flags in each list.
    width: usize,
    /// The index of the file and the number of the first row that repeats a value.
    file: usize,
    row: usize,
}

impl MultiHot {
    /// Returns the lists of these files; `None` if they are ids or names, or no lists.
    pub(super) fn of(files: &[RawFile]) -> Option<Self> {
        let rows = || (0..).zip(files).flat_map(|(file, it)| it.rows.iter().map(move |row| (file, row)));
        let width = list(&rows().next()?.1.target)?.len();
        let are_flags = |labels: &[RawLabel]| labels.len() == width && labels.iter().all(is_flag);
        if width < 2 || !rows().all(|(_, row)| list(&row.target).is_some_and(are_flags)) {
            return None;
        }
        let repeats =
            |target: &RawTarget| width > 2 || target.labels()[0].flag() == target.labels()[1].flag();
        let (file, row) = rows().find(|(_, row)| repeats(&row.target))?;
        Some(Self { width, file, row: row.row })
    }

    /// Encodes the labels whose flag is 1. `names` are the label names of the files.
    pub(super) fn encode(
        &self,
        files: Vec<RawFile>,
        names: Option<Vec<String>>,
        options: &ReadOptions,
        known: Option<&Labels>,
    ) -> Result<Encoded, DataError> {
        let path = files[self.file].path.clone();
        let names = match &options.label_map {
            Some(map) => Some(names_of_ids(map, self.width, names.as_deref(), &path, self.row)?),
            None => names,
        };
        let mut labels = self.labels(&path, names, known)?;
        labels.notes.push(DataNote::MultiHot {
            path,
            row: self.row,
            column: options.columns.labels.join(", "),
            labels: quoted(labels.ids.iter().map(|id| labels.labels.names()[*id].as_str())),
        });
        flags::encode(files, &options.columns.labels, labels)
    }

    /// Returns the labels by position: the known ones, else those of the files, else `LABEL_0`, `LABEL_1` and so on.
    fn labels(
        &self,
        path: &Path,
        names: Option<Vec<String>>,
        known: Option<&Labels>,
    ) -> Result<ColumnLabels, DataError> {
        names.iter().try_for_each(|names| self.require_count(path, names))?;
        known.map_or(Ok(()), |known| self.require_count(path, known.names()))?;
        let ids = (0..self.width).collect();
        let Some(known) = known else {
            let labels = names.map_or(Ok(Labels::numbered(self.width)), Labels::new)?;
            return Ok(ColumnLabels { labels, ids, notes: vec![] });
        };
        let Some(names) = names else {
            return Ok(ColumnLabels { labels: known.clone(), ids, notes: vec![] });
        };
        let lookup = KnownLabels::new(known, Some(&names));
        let id = |(id, name): (&Option<usize>, &String)| {
            id.ok_or_else(|| unknown_label(path, self.row, &LabelValue::Name(name), known))
        };
        let ids = lookup.ids_of_file().iter().zip(&names).map(id).collect::<Result<_, _>>()?;
        Ok(ColumnLabels { labels: known.clone(), ids, notes: lookup.notes(path) })
    }

    fn require_count(&self, path: &Path, names: &[String]) -> Result<(), DataError> {
        if names.len() == self.width {
            return Ok(());
        }
        let known = quoted(names.iter().map(String::as_str));
        Err(DataError::FlagCount { path: path.to_path_buf(), row: self.row, flags: self.width, known })
    }
}

fn list(target: &RawTarget) -> Option<&[RawLabel]> {
    match target {
        RawTarget::List(labels) => Some(labels),
        RawTarget::Value(_) | RawTarget::Columns(_) => None,
    }
}

/// Returns true for 0 and 1, false and true. Text in quotes is a name.
fn is_flag(label: &RawLabel) -> bool {
    !matches!(label, RawLabel::Text(_)) && label.flag().is_some()
}
