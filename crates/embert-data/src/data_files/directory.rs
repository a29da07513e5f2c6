//! The splits of a directory, by the first of these layouts that it has.
//!
//! 1. `save_to_disk` of `datasets`
//! 2. the shards of the hub, `train-00000-of-00002.parquet`, here or one level down, with files of other splits next to
//!    them, such as `test.parquet`
//! 3. the words of `datasets` in the names of folders, then in the names of files: `dev/a.csv`, `my_train_file.jsonl`
//! 4. any files with rows: all of them are `train`

use std::path::{Path, PathBuf};

use super::hub_layout::{self, Shards};
use super::listing::{entries, folders, name};
use super::one_format::OneFormat;
use super::{DataFile, Found, hive, keywords, saved_dataset, walk};
use crate::error::DataError;
use crate::formatting::quoted;

/// A directory with splits.
pub(super) struct Directory {
    path: PathBuf,
    layout: Layout,
    /// The read files of all splits, and the skipped ones. Empty for a layout that lists its files.
    one_format: OneFormat,
}

enum Layout {
    Saved(Vec<(String, PathBuf)>),
    Shards(Vec<Shards>),
    Names(Vec<(String, Vec<PathBuf>)>),
}

impl Directory {
    /// Finds the splits of a directory, or of its subdirectory `config`.
    pub(super) fn open(path: &Path, config: Option<&str>) -> Result<Self, DataError> {
        let path = match config {
            Some(config) => subdirectory(path, config)?,
            None => path.to_path_buf(),
        };
        if let Some(splits) = saved_dataset::splits(&path)? {
            let one_format = OneFormat::default();
            return Ok(Self { path, layout: Layout::Saved(splits), one_format });
        }
        let shards = hub_layout::find(&path)?;
        if !shards.is_empty() {
            let one_format = hub_layout::of_one_format(&path, &shards)?;
            return Ok(Self { path, layout: Layout::Shards(shards), one_format });
        }
        let one_format = OneFormat::most_common(walk::files(&path, &[])?);
        let layout = Layout::Names(keywords::by_names(&path, &one_format.files));
        Ok(Self { path, layout, one_format })
    }

    /// Returns the names of the splits: train, validation and test first.
    pub(super) fn splits(&self) -> Vec<String> {
        let mut splits: Vec<String> = match &self.layout {
            Layout::Saved(splits) => splits.iter().map(|(split, _)| split.clone()).collect(),
            Layout::Shards(shards) => shards.iter().flat_map(Shards::splits).map(str::to_owned).collect(),
            Layout::Names(splits) => splits.iter().map(|(split, _)| split.clone()).collect(),
        };
        keywords::sort(&mut splits);
        splits.dedup();
        splits
    }

    /// Returns the files of a split, and a note about files of other formats in the directory.
    pub(super) fn found(&self, split: &str) -> Result<Found, DataError> {
        Ok(Found { files: self.files(split)?, note: self.one_format.note(&self.path) })
    }

    /// Returns the files of a split. A word of `datasets` stands for its split: `dev` for `validation`.
    fn files(&self, split: &str) -> Result<Vec<DataFile>, DataError> {
        let splits = self.splits();
        let is_split = |name: &&str| splits.iter().any(|split| split == name);
        let Some(split) = [Some(split), keywords::split_of_word(split)].into_iter().flatten().find(is_split)
        else {
            let named = self.files_named(split);
            return if named.is_empty() { Err(self.split_not_found(split, &splits)) } else { Ok(named) };
        };
        let files = match &self.layout {
            Layout::Saved(splits) => {
                let folder = splits.iter().find(|(name, _)| name == split).map(|(_, folder)| folder);
                folder.map(|folder| saved_dataset::files_of_split(folder)).transpose()?.unwrap_or_default()
            }
            Layout::Shards(shards) => self.shards(shards, split)?,
            Layout::Names(splits) => {
                let files = splits.iter().find(|(name, _)| name == split);
                files.map(|(_, files)| files.clone()).unwrap_or_default()
            }
        };
        Ok(hive::with_partitions(&self.path, files))
    }

    /// Returns the files with exactly this name, as `validation_mismatched.jsonl` among the files of `validation`.
    fn files_named(&self, split: &str) -> Vec<DataFile> {
        let Layout::Names(splits) = &self.layout else { return vec![] };
        let files = splits.iter().flat_map(|(_, files)| files);
        let is_named = |path: &&PathBuf| name(path).split('.').next() == Some(split);
        hive::with_partitions(&self.path, files.filter(is_named).cloned().collect())
    }

    /// Returns the shards of a split, which must be in one folder.
    fn shards(&self, shards: &[Shards], split: &str) -> Result<Vec<PathBuf>, DataError> {
        let mut found = shards.iter().filter(|shards| shards.splits().any(|it| it == split));
        match (found.next(), found.next()) {
            (Some(first), Some(second)) => Err(DataError::AmbiguousSplit {
                path: self.path.clone(),
                split: split.to_owned(),
                first: name(&first.directory).to_owned(),
                second: name(&second.directory).to_owned(),
            }),
            (first, _) => first.map_or(Ok(vec![]), |shards| shards.files(split)),
        }
    }

    fn split_not_found(&self, split: &str, splits: &[String]) -> DataError {
        let found = if splits.is_empty() {
            let entries = entries(&self.path).unwrap_or_default();
            quoted(entries.iter().map(|path| name(path)))
        } else {
            format!("the splits {}", quoted(splits.iter().map(String::as_str)))
        };
        let found = match &self.one_format {
            OneFormat { skipped, .. } if skipped.is_empty() => found,
            files => format!("{found}, and skipped {} of other formats", files.skipped_names(&self.path)),
        };
        DataError::SplitNotFound { path: self.path.clone(), split: split.to_owned(), found }
    }
}

/// Returns the subdirectory of a configuration.
fn subdirectory(path: &Path, config: &str) -> Result<PathBuf, DataError> {
    let folders = folders(path)?;
    let found = folders.iter().find(|folder| name(folder) == config).cloned();
    found.ok_or_else(|| DataError::ConfigNotFound {
        path: path.to_path_buf(),
        config: config.to_owned(),
        found: quoted(folders.iter().map(|folder| name(folder))),
    })
}
