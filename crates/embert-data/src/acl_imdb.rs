//! The folder tree of the Large Movie Review Dataset: `{split}/neg/0_3.txt`, one review a file.
//!
//! The order is that of the hub's parquet files as far as it can be known: all negative reviews
//! before all positive ones. Within a class the hub kept the order of the original archive, which an
//! unpacked tree does not show, so here the reviews of a class are sorted by file name. A shuffle
//! therefore picks as many rows of each class as from the parquet files, but not the same reviews.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::labels::{RawFile, RawLabel, RawRow};

/// The folders, in the order of the hub's label ids.
const CLASSES: [&str; 2] = ["neg", "pos"];

pub(crate) fn is_tree(directory: &Path, split: &str) -> bool {
    CLASSES.iter().all(|class| directory.join(split).join(class).is_dir())
}

/// One [`RawFile`] for each class, in the order of the ids.
pub(crate) fn read(directory: &Path, split: &str) -> Result<Vec<RawFile>, DataError> {
    let class = |(id, name)| read_class(&directory.join(split).join(name), id);
    (0i128..).zip(CLASSES).map(class).collect()
}

fn read_class(folder: &Path, id: i128) -> Result<RawFile, DataError> {
    let mut rows = Vec::new();
    for (index, path) in text_files(folder)?.into_iter().enumerate() {
        let bytes = std::fs::read(&path).map_err(DataError::io(&path))?;
        let text = String::from_utf8(bytes).map_err(|_| DataError::not_utf8(&path, 1, "text"))?;
        rows.push(RawRow { row: index + 1, text, label: RawLabel::Integer(id) });
    }
    let names = CLASSES.map(str::to_owned).to_vec();
    Ok(RawFile { path: folder.to_path_buf(), rows, names: Some(names), notes: vec![] })
}

fn text_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(DataError::io(folder))? {
        let path = entry.map_err(DataError::io(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
