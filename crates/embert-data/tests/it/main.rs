//! Integration tests on small files that the tests write.

mod balance_and_split;
mod data_files;
mod delimited_and_jsonl;
#[cfg(feature = "parquet")]
mod directories;
mod formats;
#[cfg(feature = "parquet")]
mod glue_files;
mod imdb;
#[cfg(feature = "parquet")]
mod input_table;
mod known_labels;
mod label_maps;
mod labels;
#[cfg(unix)]
mod later_files;
#[cfg(unix)]
mod linked_folders;
mod missing_labels;
mod mixed_formats;
mod multi_hot;
#[cfg(unix)]
mod not_files;
#[cfg(feature = "parquet")]
mod parquet_files;
mod permutation;
mod quirks;
mod streaming;
mod synthetic;
mod table;
mod targets;
mod text_columns;

use std::path::PathBuf;

use embert_data::{DataError, Dataset, Labels, LoadedDataset, ReadOptions};
use tempfile::TempDir;

/// A temporary directory.
struct TestDir {
    directory: TempDir,
}

impl TestDir {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn read_content(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, DataError> {
    read_with(name, content, &ReadOptions::default(), None).map(|read| read.dataset)
}

fn read_with(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &ReadOptions,
    known: Option<&[&str]>,
) -> Result<LoadedDataset, DataError> {
    let dir = TestDir::new();
    let known =
        known.map(|names| Labels::new(names.iter().map(|name| (*name).to_owned()).collect()).unwrap());
    embert_data::read(&dir.write(name, content), "train", options, known.as_ref())
}

/// Returns true if this build supports the format of the file.
fn is_supported(name: &str) -> bool {
    let is_arrow =
        [".parquet", ".arrow", ".arrow.gz", ".feather"].iter().any(|extension| name.ends_with(extension));
    cfg!(feature = "parquet") || !is_arrow
}

/// Returns the notes, without the directory.
fn notes(read: &LoadedDataset, name: &str) -> Vec<String> {
    let notes = read.notes.iter().map(ToString::to_string);
    notes.map(|note| note[note.find(name).unwrap_or(0)..].to_owned()).collect()
}

/// Returns a csv, a tsv and a jsonl file with these labels, which are JSON values.
fn files_of(labels: &[&str]) -> [(&'static str, String); 3] {
    let rows = |before: &str, line: &dyn Fn(&str) -> String| {
        before.to_owned() + &labels.iter().map(|label| line(label)).collect::<String>()
    };
    [
        ("a.csv", rows("text,label\n", &|label| format!("t,{}\n", label.trim_matches('"')))),
        ("a.tsv", rows("text\tlabel\n", &|label| format!("t\t{}\n", label.trim_matches('"')))),
        ("a.jsonl", rows("", &|label| format!("{{\"text\": \"t\", \"label\": {label}}}\n"))),
    ]
}

/// Returns the error message for a file with this content, without the directory.
fn message(name: &str, content: impl AsRef<[u8]>) -> String {
    let message = read_content(name, content).unwrap_err().to_string();
    message[message.find(name).unwrap()..].to_owned()
}

fn rows(dataset: &Dataset) -> Vec<(&str, usize)> {
    dataset.examples.iter().map(|example| (example.text.as_str(), example.target.label().unwrap())).collect()
}
