//! A directory with only a model, such as a merged one. It is complete, or has no `config.json`.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::Path;

use super::atomic::{flush_directory, flush_tree};
use super::lock;
use super::run_files::{CONFIG, LOCK, is_model_file};
use crate::error::{TrainError, at};

/// The directory of the files until all are complete. It is in the directory of the model, which may be a mount point.
const WRITING: &str = ".writing";

/// Writes a model to a new or empty directory. `write` writes the files to the directory that it gets.
///
/// Then flushes the files and moves them, `config.json` last: a model without it cannot be opened. On failure, removes
/// the files. After a kill, the next call removes them.
///
/// # Errors
/// [`TrainError::NotEmpty`], [`TrainError::Busy`], [`TrainError::Foreign`] and [`TrainError::Io`]; errors of `write`.
pub fn write_model_directory<E: From<TrainError>>(
    directory: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let is_new = directory.symlink_metadata().is_err();
    remove_unfinished(directory)?;
    require_empty(directory)?;
    let writing = directory.join(WRITING);
    let locked = fs::create_dir_all(&writing).map_err(at(&writing)).and_then(|()| lock::lock(&writing));
    let publish = |()| Ok(publish(&writing, directory)?);
    // Windows cannot remove open files, so the lock is dropped first.
    let written = locked.map_err(E::from).and_then(|_lock| write(&writing).and_then(publish));
    // Only the first error is reported.
    if written.is_ok() {
        let _ = lock::remove(&writing).and_then(|()| remove_empty(&writing));
    } else {
        let _ = remove_unfinished(directory);
        let _ = is_new.then(|| fs::remove_dir(directory));
    }
    written
}

/// Flushes the files and moves them to the directory.
fn publish(writing: &Path, directory: &Path) -> Result<(), TrainError> {
    flush_tree(writing)?;
    let mut names = names(writing)?;
    names.retain(|name| name != LOCK);
    names.sort_by_key(|name| name == CONFIG);
    for name in names {
        let target = directory.join(&name);
        fs::rename(writing.join(name), &target).map_err(at(target))?;
    }
    flush_directory(directory)
}

/// Removes the files of a call that did not finish. They are those of a model next to or in a `.writing` with a lock.
fn remove_unfinished(directory: &Path) -> Result<(), TrainError> {
    let writing = directory.join(WRITING);
    if !writing.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(());
    }
    lock::check_unlocked(&writing)?;
    let unfinished = names(&writing)?;
    if let Some(name) = unfinished.iter().find(|name| *name != LOCK && !is_own(name)) {
        return Err(TrainError::Foreign { path: writing.join(name) });
    }
    if unfinished.iter().any(|name| name == LOCK) {
        remove_own(directory)?;
        remove_own(&writing)?;
        lock::remove(&writing)?; // last: after a kill, the rest is still recognized
    }
    remove_empty(&writing)
}

fn remove_own(directory: &Path) -> Result<(), TrainError> {
    let own = names(directory)?.into_iter().filter(is_own).map(|name| directory.join(name));
    own.into_iter().try_for_each(|path| fs::remove_file(&path).map_err(at(path)))
}

fn is_own(name: &OsString) -> bool {
    name.to_str().is_some_and(is_model_file)
}

fn remove_empty(directory: &Path) -> Result<(), TrainError> {
    fs::remove_dir(directory).map_err(at(directory))
}

fn require_empty(directory: &Path) -> Result<(), TrainError> {
    let is_empty = names(directory)?.is_empty();
    if is_empty { Ok(()) } else { Err(TrainError::NotEmpty { path: directory.to_owned() }) }
}

/// Returns the names in a directory; no names if it does not exist.
fn names(directory: &Path) -> Result<Vec<OsString>, TrainError> {
    match fs::read_dir(directory) {
        Err(error) if error.kind() == NotFound => Ok(vec![]),
        Err(error) => Err(at(directory)(error)),
        Ok(entries) => {
            entries.map(|entry| Ok(entry?.file_name())).collect::<Result<_, _>>().map_err(at(directory))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 3] = ["config.json", "model.safetensors", "recipe.toml"];

    fn write_files(directory: &Path) -> Result<(), TrainError> {
        FILES.iter().try_for_each(|name| fs::write(directory.join(name), "new").map_err(at(name)))
    }

    fn sorted(directory: &Path) -> Vec<String> {
        let names = names(directory).unwrap().into_iter().map(|name| name.into_string().unwrap());
        let mut names = names.collect::<Vec<_>>();
        names.sort();
        names
    }

    /// Creates these files in a new folder; `name/` is a directory.
    fn layout(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            let directory = if file.ends_with('/') { &path } else { path.parent().unwrap() };
            fs::create_dir_all(directory).unwrap();
            if !file.ends_with('/') {
                fs::write(path, "old").unwrap();
            }
        }
        folder
    }

    #[test]
    fn the_files_of_a_killed_call_are_replaced() {
        for files in [
            &[][..],
            &["out/"],
            &["out/.writing/"],
            &["out/.writing/.lock"],
            &["out/.writing/.lock", "out/.writing/model.safetensors", "out/.writing/config.json"],
            &["out/.writing/.lock", "out/.writing/.tmp-model.safetensors"],
            &["out/.writing/.lock", "out/.writing/config.json", "out/vocab.txt", "out/model.safetensors"],
            &["out/.writing/.lock", "out/model.safetensors", "out/config.json"],
        ] {
            let folder = layout(files);
            let out = folder.path().join("out");
            write_model_directory(&out, write_files).unwrap();
            assert_eq!(sorted(&out), FILES, "{files:?}");
            assert!(FILES.iter().all(|name| fs::read(out.join(name)).unwrap() == b"new"), "{files:?}");
        }
    }

    #[test]
    fn other_files_are_kept_and_are_errors() {
        for (files, named) in [
            (&["out/notes.txt"][..], "out is not empty"),
            (&["out/config.json"], "out is not empty"),
            (&["out/config.json", "out/.writing/"], "out is not empty"),
            (&["out/notes.txt", "out/.writing/.lock"], "out is not empty"),
            (&["out/.writing/.lock", "out/.writing/notes.txt", "out/config.json"], "notes.txt is not a file"),
            (&["out"], "out: "),
        ] {
            let folder = layout(files);
            let error = write_model_directory(&folder.path().join("out"), write_files).unwrap_err();
            assert!(error.to_string().contains(named), "{files:?}: {error}");
            let kept = files.iter().filter(|file| !file.ends_with('/') && !file.ends_with(".lock"));
            assert!(kept.into_iter().all(|file| folder.path().join(file).exists()), "{files:?}");
        }
    }

    #[test]
    fn a_failed_call_leaves_the_directory_as_it_was() {
        for is_new in [true, false] {
            let folder = layout(if is_new { &[] } else { &["out/"] });
            let out = folder.path().join("out");
            let error = write_model_directory(&out, |directory| {
                write_files(directory)?;
                Err(TrainError::NoExamples)
            });
            assert!(matches!(error, Err(TrainError::NoExamples)));
            assert_eq!((out.exists(), sorted(&out)), (!is_new, vec![]));
        }
    }

    #[test]
    fn another_process_that_writes_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        write_model_directory(&out, |directory| {
            let error = write_model_directory(&out, write_files).unwrap_err();
            assert!(matches!(error, TrainError::Busy { .. }), "{error}");
            write_files(directory)
        })
        .unwrap();
        assert_eq!(sorted(&out), FILES);
    }
}
