//! From a path to rows: which files belong to it, and which reader each of them needs.

use std::path::Path;

use crate::error::DataError;
use crate::format::Format;
use crate::labels::{RawFile, assign_ids};
use crate::note::{DataNote, Read};
use crate::options::ReadOptions;
#[cfg(feature = "parquet")]
use crate::parquet;
use crate::review::Labels;
use crate::{acl_imdb, delimited, jsonl, shards};

/// Reads a labelled data set.
///
/// `path` is one of
/// - a directory of `{split}-*.parquet`, or a directory that holds one such directory; shards are
///   read in the order of their names;
/// - the folder tree of aclImdb: `{split}/neg/*.txt` and `{split}/pos/*.txt`;
/// - a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, whose rows are all read whatever `split` says.
///
/// `labels` are those of a trained model: a value is then the name of one of them, or an index if their names are not
/// numbers. Without them, the names that the hub stores in parquet files decide; else the labels are the sorted values
/// that occur, and integers that are exactly 0, 1 and so on are called `LABEL_0`, `LABEL_1`.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read(
    path: &Path,
    split: &str,
    options: &ReadOptions,
    labels: Option<&Labels>,
) -> Result<Read, DataError> {
    let metadata = std::fs::metadata(path).map_err(DataError::io(path))?;
    let files = if !metadata.is_dir() {
        vec![read_file(path, options)?]
    } else if acl_imdb::is_tree(path, split) {
        acl_imdb::read(path, split)?
    } else {
        let shards = shards::find(path, split)?;
        shards.iter().map(|shard| read_file(shard, options)).collect::<Result<_, _>>()?
    };
    if files.iter().all(|file| file.rows.is_empty()) {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    assign_ids(path, files, options, labels)
}

/// Reads the text column of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in the order of its rows.
///
/// # Errors
///
/// Any [`DataError`] about files; the first offending row is named.
pub fn read_texts(path: &Path, options: &ReadOptions) -> Result<(Vec<String>, Vec<DataNote>), DataError> {
    let column = &options.columns.text;
    let (texts, mut notes) = match Format::of(path)? {
        #[cfg(feature = "parquet")]
        Format::Parquet => (parquet::read_texts(path, column)?, vec![]),
        Format::Delimited(separator) => delimited::read_texts(path, separator, options)?,
        Format::Jsonl => (jsonl::read_texts(path, column)?, vec![]),
    };
    if texts.is_empty() {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    notes.extend(DataNote::of_blank_texts(path, texts.iter().zip(1..)));
    Ok((texts, notes))
}

fn read_file(path: &Path, options: &ReadOptions) -> Result<RawFile, DataError> {
    match Format::of(path)? {
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::read(path, &options.columns),
        Format::Delimited(separator) => delimited::read(path, separator, options),
        Format::Jsonl => jsonl::read(path, &options.columns),
    }
}
