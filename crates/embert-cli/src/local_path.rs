//! Local paths: distinguishes them from ids of the hub, and resolves them.

use std::fs;
use std::path::{Component, Path, PathBuf};

use embert_hub::HubError;

use crate::error::CliError;
use crate::near::nearest;

/// Extensions of data and model files.
const EXTENSIONS: [&str; 22] = [
    "parquet",
    "csv",
    "tsv",
    "jsonl",
    "ndjson",
    "json",
    "txt",
    "text",
    "xlsx",
    "xls",
    "gz",
    "zst",
    "zip",
    "bz2",
    "xz",
    "tar",
    "arrow",
    "feather",
    "safetensors",
    "bin",
    "toml",
    "onnx",
];

/// Returns an error message if the name is a path that does not exist; `None` if it may be an id of the hub.
pub(crate) fn missing(name: &str) -> Option<String> {
    looks_like_a_path(name).then(|| no_such(name))
}

/// Returns true if no file, directory or glob has this name.
pub(crate) fn is_missing(name: &str) -> bool {
    !Path::new(name).exists() && !is_glob(name)
}

/// Returns true for patterns of file names, such as `data/*.csv`.
pub(crate) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Returns true for a file or a glob: all rows are one split.
pub(crate) fn has_no_splits(name: &str) -> bool {
    Path::new(name).is_file() || !Path::new(name).exists() && is_glob(name)
}

/// Returns the path without links and without `..`, also if its last directories do not exist yet.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let of_parent = |parent: &Path| {
        let existing = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        Some(joined(fs::canonicalize(existing).ok()?, path.strip_prefix(parent).ok()?))
    };
    path.ancestors().find_map(of_parent).unwrap_or_else(|| path.to_owned())
}

/// Joins a path without links and one whose directories do not exist yet.
fn joined(mut path: PathBuf, new: &Path) -> PathBuf {
    for component in new.components() {
        match component {
            Component::ParentDir => _ = path.pop(),
            component => path.push(component),
        }
    }
    path
}

/// Returns the error message for a path that does not exist.
pub(crate) fn no_such(name: &str) -> String {
    let advice =
        near_sibling(Path::new(name)).map_or(String::new(), |near| format!("; did you mean {near}?"));
    format!("{name}: there is no such file or directory{advice}")
}

/// Adds to a hub error the local path with a similar name.
pub(crate) fn with_advice(error: HubError, name: &str) -> CliError {
    let error = CliError::from(error);
    match near_sibling(Path::new(name)) {
        Some(near) => CliError { message: format!("{}; there is a local {near}", error.message), ..error },
        None => error,
    }
}

/// Returns true for names that are not valid ids of the hub.
fn looks_like_a_path(name: &str) -> bool {
    let path = Path::new(name);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str())
        || name.starts_with(['/', '.', '~'])
        || name.contains('\\')
        || name.matches('/').count() > 1
        || parent.is_some_and(Path::is_dir)
}

/// Returns an entry of the same directory with a similar name.
fn near_sibling(path: &Path) -> Option<String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name()?.to_str()?;
    let entries = parent.read_dir().ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let entries = entries.filter(|entry| !entry.starts_with('.')).collect::<Vec<_>>();
    let near = nearest(name, entries.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_path_is_not_looked_up_on_the_hub() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reviews.csv"), "").unwrap();
        let in_folder = |name: &str| folder.path().join(name).display().to_string();
        for (name, near) in
            [("reveiws.csv", true), ("reviews.cvs", true), ("other.csv", false), ("data", false)]
        {
            let message = missing(&in_folder(name)).unwrap();
            assert!(message.starts_with(&in_folder(name)), "{message}");
            assert_eq!(
                message.ends_with(&format!("did you mean {}?", in_folder("reviews.csv"))),
                near,
                "{message}"
            );
        }
        for name in
            ["nowhere.json", "a.txt.gz", "./x", "~/x", "src/no-such-folder", "a/b/c", "b.xlsx", "run.toml"]
        {
            assert!(missing(name).is_some(), "{name}");
        }
    }

    #[test]
    fn new_paths_are_resolved() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("data/sub")).unwrap();
        for (path, expected) in [
            ("data", "data"),
            ("data/", "data"),
            ("data/new/deep/", "data/new/deep"),
            ("data/./new", "data/new"),
            ("data/sub/../new", "data/new"),
            ("data/new/../other", "data/other"),
            ("data/new/../../out", "out"),
        ] {
            assert_eq!(resolved(&root.join(path)), root.join(expected), "{path}");
        }
        assert_eq!(resolved(Path::new("new")), fs::canonicalize(".").unwrap().join("new"));
    }

    #[test]
    fn ids_of_the_hub_are_looked_up() {
        for name in ["imdb", "bert-base-uncased", "stanfordnlp/imdb", "org/name-v1.5"] {
            assert_eq!(missing(name), None, "{name}");
        }
    }
}
