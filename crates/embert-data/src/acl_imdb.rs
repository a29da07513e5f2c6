//! Reads the folders of the Large Movie Review Dataset: `{split}/neg/0_3.txt`, one review per file.
//!
//! All negative reviews come first, then all positive ones, as in the hub's parquet files. Within a class, the
//! hub has the order of the original archive. Unpacked folders do not keep that order, so reviews are sorted by
//! file name. A shuffle with one seed selects the same number of rows per class as from the parquet files, but
//! other reviews.

use std::path::{Path, PathBuf};

use crate::data_files::listing::{folders, name};
use crate::error::DataError;
use crate::file_kind::require_file;
use crate::label_encoding::{RawFile, RawLabel, RawRow, RawTarget};

/// Folder names, in the order of the hub's label ids.
const CLASSES: [&str; 2] = ["neg", "pos"];
const UNLABELLED: &str = "unsup";

/// Returns true if the directory has a folder of each class for this split.
pub(crate) fn has_split(directory: &Path, split: &str) -> bool {
    CLASSES.iter().all(|class| directory.join(split).join(class).is_dir())
}

/// Returns the splits of a directory that have a folder of each class.
pub(crate) fn splits(directory: &Path) -> Result<Vec<String>, DataError> {
    let splits = ["train", "test"].into_iter().filter(|split| has_split(directory, split));
    Ok(splits.map(str::to_owned).collect())
}

/// Returns one [`RawFile`] per class, in the order of the ids.
///
/// # Errors
///
/// [`DataError::ThirdClass`] if another folder next to the classes has texts.
pub(crate) fn read(directory: &Path, split: &str) -> Result<Vec<RawFile>, DataError> {
    if let Some(folder) = third_class(&directory.join(split))? {
        return Err(DataError::ThirdClass { folder });
    }
    let class = |(id, name)| read_class(&directory.join(split).join(name), id);
    (0i128..).zip(CLASSES).map(class).collect()
}

/// Returns a folder with texts that is no class, and not the folder without labels, which the dataset has, too.
fn third_class(split: &Path) -> Result<Option<PathBuf>, DataError> {
    let is_known = |path: &Path| name(path) == UNLABELLED || CLASSES.contains(&name(path));
    let others = folders(split)?.into_iter().filter(|path| !is_known(path));
    for folder in others {
        if !text_files(&folder)?.is_empty() {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

fn read_class(folder: &Path, id: i128) -> Result<RawFile, DataError> {
    let mut rows = Vec::new();
    for (index, path) in text_files(folder)?.into_iter().enumerate() {
        require_file(&path)?;
        let bytes = std::fs::read(&path).map_err(DataError::io(&path))?;
        let text = String::from_utf8(bytes).map_err(|_| DataError::not_utf8(&path, 1, "text"))?;
        let target = RawTarget::Value(RawLabel::Integer(id));
        rows.push(RawRow { row: index + 1, text, text_pair: None, target });
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
