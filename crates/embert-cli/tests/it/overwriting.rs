//! `--overwrite_output_dir` replaces only the files of a run, in any directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tiny::{SHAPE, TINY, write_csv};
use crate::{fails, succeeds};

/// Returns all files below a folder with their bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            files.extend(tree(&path))
        } else {
            drop(files.insert(path.clone(), fs::read(&path).unwrap_or_default()))
        }
    }
    files
}

/// Writes files with these paths below a folder.
fn write(folder: &Path, files: &[&str]) {
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("precious {file}")).unwrap();
    }
}

#[test]
fn a_directory_that_is_not_a_run_is_refused_before_anything_is_read() {
    for (files, output) in [
        (&["out/src/main.rs", "out/notes.txt"][..], "out"),
        (&["out/.git/HEAD", "out/a.py"], "out"),
        (&["out/README.md"], "out"),
        (&["out/config.json", "out/model.safetensors", "out/tokenizer.json"], "out/"),
        (&["out/recipe.toml"], "./out"),
        (&["out/checkpoint-5/diary.txt"], "out"),
        (&["out.partial/notes.txt"], "out"),
        (&["out.old/notes.txt"], "out"),
        (&["out.tmp/notes.txt"], "out"),
        (&["out.partial.tmp/notes.txt"], "out"),
        (&["notes.txt"], "."),
        (&["out/notes.txt"], "out/../out"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), files);
        let before = tree(folder.path());
        let arguments = format!("train {TINY} --output_dir {output} --overwrite_output_dir");
        let result = crate::embert(folder.path(), &arguments);
        let after = tree(folder.path());
        for (path, bytes) in &before {
            assert_eq!(after.get(path), Some(bytes), "{output}: {} was removed or changed", path.display());
        }
        let message = crate::stderr(&result);
        let is_sibling = files[0].starts_with("out.old") || files[0].starts_with("out.tmp");
        if result.status.code() == Some(0) {
            assert!(is_sibling, "{files:?} was not refused");
            continue;
        }
        assert_eq!(result.status.code(), Some(2), "{files:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert_eq!(after, before, "{files:?}");
    }
}

#[test]
fn an_output_directory_that_holds_an_input_or_the_current_directory_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    succeeds(path, &format!("train {TINY} --output_dir project"));
    write_csv(path, "project/rows.csv", &["a", "b"], 40);
    fs::create_dir_all(path.join("project/sub")).unwrap();
    let before = tree(path);
    for (from, arguments) in [
        ("", "--dataset project/rows.csv --output_dir project"),
        ("", "--dataset project/../project/rows.csv --output_dir ./project"),
        ("", "--train_file project/rows.csv --output_dir project"),
        ("project", "--dataset rows.csv --output_dir ."),
        ("project/sub", "--dataset ../rows.csv --output_dir .."),
    ] {
        let arguments = format!("train {SHAPE} {arguments} --overwrite_output_dir");
        let message = fails(&path.join(from), 2, &arguments);
        assert!(message.contains("--output_dir") && message.lines().count() == 1, "{arguments}: {message}");
        assert_eq!(tree(path), before, "{arguments}");
    }
    let further = "train --model project --dataset synthetic --synthetic_reviews 60 --max_seq_length 96 --output_dir project";
    let message = fails(path, 2, &format!("{further} --overwrite_output_dir"));
    assert!(message.contains("the input project"), "{message}");
    assert_eq!(tree(path), before);
}

#[test]
fn files_of_the_user_in_a_run_directory_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let train = format!("train {TINY} --output_dir run --save_strategy epoch");
    succeeds(path, &train);
    write(path, &["run/notes.txt", "run/plots/loss.png", "run/.gitignore", "run/data.csv"]);
    let kept = |tree: BTreeMap<PathBuf, Vec<u8>>| {
        let is_kept = |path: &PathBuf| path.extension().is_some_and(|it| it != "safetensors" && it != "json");
        tree.into_iter()
            .filter(|(path, bytes)| is_kept(path) && bytes.starts_with(b"precious"))
            .collect::<BTreeMap<_, _>>()
    };
    let before = kept(tree(&path.join("run")));
    assert_eq!(before.len(), 3, ".gitignore has no extension and is not counted");
    let weights = || fs::read(path.join("run/model.safetensors")).unwrap();
    let old = weights();
    succeeds(path, &format!("{train} --overwrite_output_dir --seed 7"));
    assert!(weights() != old);
    assert_eq!(kept(tree(&path.join("run"))), before);
    assert_eq!(fs::read(path.join("run/.gitignore")).unwrap(), b"precious run/.gitignore");
    succeeds(path, "train --output_dir run --resume_from_checkpoint last --num_train_epochs 2");
    assert_eq!(kept(tree(&path.join("run"))), before);
    assert_eq!(fs::read(path.join("run/.gitignore")).unwrap(), b"precious run/.gitignore");
}
