//! What the crate promises, checked on small files that the tests make themselves.

mod balance_and_split;
mod delimited_and_jsonl;
mod directories;
mod imdb;
mod labels;
mod parquet_files;
mod permutation;
mod synthetic;
mod table;

use std::path::PathBuf;

use embert_data::{Columns, DataError, Dataset};
use tempfile::TempDir;

/// A directory of a test's own, with a file in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn read_content(name: &str, content: impl AsRef<[u8]>) -> Result<Dataset, DataError> {
    let place = Place::new();
    embert_data::read(&place.file(name, content), "train", &Columns::default(), None)
}

/// The message for a file with this content, without the directory.
fn message(name: &str, content: impl AsRef<[u8]>) -> String {
    let message = read_content(name, content).unwrap_err().to_string();
    message[message.find(name).unwrap()..].to_owned()
}

fn rows(dataset: &Dataset) -> Vec<(&str, usize)> {
    dataset.examples.iter().map(|example| (example.text.as_str(), example.label)).collect()
}
