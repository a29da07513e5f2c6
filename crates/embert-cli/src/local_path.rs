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
    broken_link(name).or_else(|| looks_like_a_path(name).then(|| no_such(name)))
}

/// Fails if the data does not exist.
pub(crate) fn require(name: &str) -> Result<(), CliError> {
    if is_missing(name) { Err(CliError::rejected(no_such(name))) } else { Ok(()) }
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
    broken_link(name).unwrap_or_else(|| {
        let advice =
            near_sibling(Path::new(name)).map_or(String::new(), |near| format!("; did you mean {near}?"));
        format!("{name}: there is no such file or directory{advice}")
    })
}

/// Returns the error message for a path that is not a directory.
pub(crate) fn no_directory(name: &str) -> String {
    let is_other = Path::new(name).exists();
    if is_other { format!("{name}: this is a file; name the directory of a model") } else { no_such(name) }
}

/// Returns the error message for a path that is, or goes through, a link to nothing.
fn broken_link(name: &str) -> Option<String> {
    let path = Path::new(name).components().collect::<PathBuf>(); // the system follows a link that ends with a slash
    let link = path.ancestors().find(|ancestor| ancestor.is_symlink())?;
    let (target, error) = (link.read_link().ok()?, link.metadata().err()?);
    let what = if link == path { "this".into() } else { link.display().to_string() };
    let target = target.display();
    Some(format!("{name}: {what} is a link to {target}, which cannot be opened: {error}; correct the link"))
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
    let is_other = |entry: &String| !entry.starts_with('.') && entry != name;
    let entries = entries.filter(is_other).collect::<Vec<_>>();
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

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_named_with_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir(path("folder")).unwrap();
        for (target, link) in [
            ("nowhere.csv", "dangling.csv"),
            ("gone", "model"),
            ("cycle", "cycle"),
            ("dangling.csv", "twice.csv"),
            ("folder", "good"),
        ] {
            std::os::unix::fs::symlink(target, path(link)).unwrap();
        }
        for (name, expected) in [
            ("dangling.csv", "this is a link to nowhere.csv, which cannot be opened: No such file"),
            ("model", "this is a link to gone, which"),
            ("model/", "this is a link to gone, which"),
            ("model/.", "this is a link to gone, which"),
            ("cycle", "this is a link to cycle, which cannot be opened: Too many"),
            ("twice.csv", "this is a link to dangling.csv, which"),
            ("model/config.json", "/model is a link to gone, which"),
            ("good/nothing.csv", "there is no such file or directory"),
        ] {
            for message in [no_such(&path(name)), no_directory(&path(name)), missing(&path(name)).unwrap()] {
                assert!(message.starts_with(&path(name)) && message.contains(expected), "{name}: {message}");
                assert!(!message.contains("did you mean"), "{message}");
            }
        }
    }

    #[test]
    fn a_file_is_not_the_directory_of_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json").display().to_string();
        std::fs::write(&file, "").unwrap();
        assert_eq!(no_directory(&file), format!("{file}: this is a file; name the directory of a model"));
        let near = format!("{file}n");
        assert!(no_directory(&near).ends_with(&format!("did you mean {file}?")), "{}", no_directory(&near));
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
