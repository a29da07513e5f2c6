//! Files of several formats in one directory: as `datasets`, the most common format is read.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::format::Format;
use crate::formatting::quoted;
use crate::note::DataNote;

/// The names of the formats that `datasets` reads with one loader, and of zip archives.
const GROUPS: [&str; 6] = ["parquet", "arrow", "json or jsonl", "csv or tsv", "txt", "zip"];

/// The files of one format, and the skipped files of other formats.
#[derive(Default)]
pub(super) struct OneFormat {
    pub(super) files: Vec<PathBuf>,
    pub(super) skipped: Vec<PathBuf>,
}

impl OneFormat {
    /// Keeps the files of the most common format; for equal numbers parquet, then arrow, json, csv, txt, as in `datasets`.
    pub(super) fn most_common(files: Vec<PathBuf>) -> Self {
        let mut counts = HashMap::new();
        files.iter().for_each(|path| *counts.entry(group(path)).or_insert(0) += 1);
        let most = counts.into_iter().max_by_key(|(group, count)| (*count, Reverse(*group)));
        let is_kept = |path: &PathBuf| most.is_some_and(|(most, _)| group(path) == most);
        let (files, skipped) = files.into_iter().partition(is_kept);
        Self { files, skipped }
    }

    /// Returns the names of the skipped files, relative to the directory.
    pub(super) fn skipped_names(&self, directory: &Path) -> String {
        let names = self.skipped.iter().map(|path| path.strip_prefix(directory).unwrap_or(path));
        let names = names.map(|path| path.display().to_string()).collect::<Vec<_>>();
        quoted(names.iter().map(String::as_str))
    }

    /// Returns a note that names the skipped files; `None` if there are none.
    pub(super) fn note(&self, directory: &Path) -> Option<DataNote> {
        let format = GROUPS[group(self.files.first()?)];
        let skipped = self.skipped_names(directory);
        (!self.skipped.is_empty()).then(|| DataNote::OtherFormats {
            path: directory.to_path_buf(),
            format,
            skipped,
        })
    }
}

/// Returns the position of a file's format among the formats that `datasets` reads with one loader.
pub(super) fn group(path: &Path) -> usize {
    match Format::by_extension(path) {
        #[cfg(feature = "parquet")]
        Ok(Format::Parquet) => 0,
        #[cfg(feature = "parquet")]
        Ok(Format::Arrow) => 1,
        Ok(Format::Json | Format::Jsonl) => 2,
        Ok(Format::Delimited(_)) => 3,
        Ok(Format::Text) => 4,
        Err(_) => 5,
    }
}
