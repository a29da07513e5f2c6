//! From a path to rows: which files belong to it, and which reader each of them needs.

use std::path::Path;

use crate::columns::Columns;
use crate::error::DataError;
use crate::format::Format;
use crate::labels::{RawFile, assign_ids};
use crate::review::{Dataset, Labels};
use crate::{acl_imdb, delimited, jsonl, parquet, shards};

/// Reads a labelled data set.
///
/// `path` is one of
/// - a directory of `{split}-*.parquet`, or a directory that holds one such directory; shards are
///   read in the order of their names;
/// - the folder tree of aclImdb: `{split}/neg/*.txt` and `{split}/pos/*.txt`;
/// - a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, whose rows are all read whatever `split` says.
///
/// `labels` are those of a trained model: text must then be one of the names, and integers one of
/// the ids. Without them integers are ids, named by the features that the hub stores in parquet files
/// or else `LABEL_0`, `LABEL_1`; text gets ids in sorted order.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read(
    path: &Path,
    split: &str,
    columns: &Columns,
    labels: Option<&Labels>,
) -> Result<Dataset, DataError> {
    let metadata = std::fs::metadata(path).map_err(DataError::io(path))?;
    let files = if !metadata.is_dir() {
        vec![read_file(path, columns)?]
    } else if acl_imdb::is_tree(path, split) {
        acl_imdb::read(path, split)?
    } else {
        let shards = shards::find(path, split)?;
        shards.iter().map(|shard| read_file(shard, columns)).collect::<Result<_, _>>()?
    };
    if files.iter().all(|file| file.rows.is_empty()) {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    assign_ids(files, labels)
}

/// Reads one column of texts of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in the order of its rows.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read_texts(path: &Path, text_column: &str) -> Result<Vec<String>, DataError> {
    let texts = match Format::of(path)? {
        Format::Parquet => parquet::read_texts(path, text_column),
        Format::Delimited(separator) => delimited::read_texts(path, separator, text_column),
        Format::Jsonl => jsonl::read_texts(path, text_column),
    }?;
    if texts.is_empty() {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    Ok(texts)
}

fn read_file(path: &Path, columns: &Columns) -> Result<RawFile, DataError> {
    match Format::of(path)? {
        Format::Parquet => parquet::read(path, columns),
        Format::Delimited(separator) => delimited::read(path, separator, columns),
        Format::Jsonl => jsonl::read(path, columns),
    }
}
