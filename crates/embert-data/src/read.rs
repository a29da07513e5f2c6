//! Reads a dataset: finds the files of a path, reads each in its format and encodes the labels.

use std::path::Path;

use crate::acl_imdb;
use crate::data_files::{self, DataFile, Found};
use crate::dataset::Labels;
use crate::error::DataError;
use crate::label_encoding::{RawFile, encode_labels};
use crate::memory_limit::{MemoryLimit, ROW_BYTES};
use crate::note::LoadedDataset;
use crate::options::ReadOptions;
use crate::rows::{self, LoadedTexts, raw_rows};
use crate::table::{TableReader, read_columns};

/// Reads a labelled dataset.
///
/// `path` is one of:
///
/// - a directory with `{split}-*.parquet`, or its parent directory; shards are read in the order of their names;
/// - the aclImdb directory: `{split}/neg/*.txt` and `{split}/pos/*.txt`;
/// - a `.parquet`, `.csv`, `.tsv` or `.jsonl` file. All its rows are read; `split` is ignored.
///
/// The labels are one label per row, lists of labels, or numbers: [`ReadOptions::problem_type`], or else the values
/// decide.
///
/// `labels` are the labels of a trained model. Each value must be the name of one of them, or its index if the names
/// are not numbers. Without `labels`, the label names in a parquet file of the hub are used. If there are none, the
/// labels are the sorted values; the integers 0, 1 and so on are named `LABEL_0`, `LABEL_1`.
///
/// # Errors
///
/// A [`DataError`] that names the file and the first invalid row.
///
/// # Examples
///
/// ```no_run
/// use embert_data::{ReadOptions, read};
///
/// let loaded = read("reviews.csv".as_ref(), "train", &ReadOptions::default(), None)?;
/// println!("{} rows", loaded.dataset.len());
/// for note in &loaded.notes {
///     println!("note: {note}");
/// }
/// # Ok::<(), embert_data::DataError>(())
/// ```
pub fn read(
    path: &Path,
    split: &str,
    options: &ReadOptions,
    labels: Option<&Labels>,
) -> Result<LoadedDataset, DataError> {
    let (files, note) = if acl_imdb::has_split(path, split) {
        (acl_imdb::read(path, split)?, None)
    } else {
        let config = options.dataset_config_name.as_deref();
        let Found { files, note } = data_files::of_split(path, split, config)?;
        (files.into_iter().map(|file| read_file(file, options)).collect::<Result<_, _>>()?, note)
    };
    if files.iter().all(|file: &RawFile| file.rows.is_empty()) {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    let mut loaded = encode_labels(path, files, options, labels)?;
    loaded.notes.extend(note);
    Ok(loaded)
}

/// Reads the texts, or pairs of texts, of a `.parquet`, `.csv`, `.tsv` or `.jsonl` file, in the order of its rows.
///
/// A label column is not necessary.
///
/// # Errors
///
/// A [`DataError`] that names the file and the first invalid row.
pub fn read_texts(path: &Path, options: &ReadOptions) -> Result<LoadedTexts, DataError> {
    let (table, mut notes) = read_columns(path, options, Some(&options.columns.of_texts()))?;
    if table.rows() == 0 {
        return Err(DataError::Empty { path: path.to_path_buf() });
    }
    let texts = rows::texts(table, options)?;
    notes.extend(texts.notes);
    Ok(LoadedTexts { notes, ..texts })
}

/// Reads the rows of a file in chunks, so that only their texts and labels are in memory.
fn read_file(file: DataFile, options: &ReadOptions) -> Result<RawFile, DataError> {
    let path = file.path.clone();
    let mut memory = MemoryLimit::of(&path)?;
    let mut tables = TableReader::of_files(vec![file], options, Some(&options.columns.with_labels()))?;
    let mut all = RawFile { path: path.clone(), rows: vec![], names: None, notes: vec![] };
    for table in &mut tables {
        let table = table?;
        memory.add(&path, table.rows() as u64 * ROW_BYTES + table.bytes())?;
        let part = raw_rows(table, options)?;
        all.rows.extend(part.rows);
        all.names = part.names;
    }
    all.notes = tables.take_notes();
    Ok(all)
}
