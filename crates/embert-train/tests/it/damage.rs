//! Whatever byte of a checkpoint is lost or changed: it is seen, and named.

use std::fs;
use std::path::{Path, PathBuf};

use embert_train::{Checkpoint, TrainError};
use rayon::prelude::*;

use crate::resume::lora;
use crate::tiny;

/// The directory of an unfinished run of adapters: small files, so that every byte can be tried.
fn run(folder: &Path) -> PathBuf {
    let output_dir = folder.join("run");
    lora().train(&output_dir, None, Some(12)).0.unwrap();
    output_dir.with_extension("partial")
}

fn files(checkpoint: &Path) -> Vec<PathBuf> {
    let mut files = fs::read_dir(checkpoint).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.sort();
    files
}

/// Writes `bytes` in the place of a file, and asserts that the checkpoint is refused under this file's name.
#[track_caller]
fn assert_seen(file: &Path, bytes: &[u8], what: &str) {
    fs::write(file, bytes).unwrap();
    let error = Checkpoint::open(file.parent().unwrap()).expect_err(what);
    let named =
        matches!(&error, TrainError::Checkpoint { path, .. } | TrainError::Io { path, .. } if path == file);
    assert!(named, "{}, {what}: {error}", file.display());
}

/// Cuts a file at every length, flips a bit of every byte, and puts it back. Returns the number of changes.
fn damage(file: &Path) -> usize {
    let whole = fs::read(file).unwrap();
    for length in 0..whole.len() {
        assert_seen(file, &whole[..length], &format!("cut to {length} bytes"));
    }
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_seen(file, &flipped, &format!("a bit of byte {at} flipped"));
    }
    assert_seen(file, &[&whole[..], b" "].concat(), "a byte too long");
    fs::write(file, &whole).unwrap();
    Checkpoint::open(file.parent().unwrap()).unwrap();
    2 * whole.len() + 1
}

#[test]
fn every_cut_and_every_flipped_byte_is_seen() {
    let folder = tiny::folder();
    let checkpoint = run(folder.path()).join("checkpoint-2");
    let count = files(&checkpoint).len();
    let changes = (0..count).into_par_iter().map(|number| {
        let copy = folder.path().join(format!("copy-{number}/checkpoint-2"));
        fs::create_dir_all(&copy).unwrap();
        for file in files(&checkpoint) {
            fs::copy(&file, copy.join(file.file_name().unwrap())).unwrap();
        }
        damage(&files(&copy)[number])
    });
    let changes: usize = changes.sum();
    println!("{changes} changes of {count} files, all of them seen");
    assert!(count >= 9 && changes > 20_000, "{count} files, {changes} changes");
}

#[test]
fn a_missing_file_is_named() {
    let folder = tiny::folder();
    let checkpoint = run(folder.path()).join("checkpoint-2");
    for file in files(&checkpoint) {
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let error = Checkpoint::open(&checkpoint).unwrap_err().to_string();
        assert!(error.starts_with(&*file.to_string_lossy()), "{error}");
        fs::write(&file, bytes).unwrap();
    }
}

#[test]
fn a_damaged_checkpoint_is_named_and_passed_over() {
    let folder = tiny::folder();
    let run = run(folder.path());
    let (newest, damaged) = Checkpoint::newest(&run).unwrap();
    assert!(damaged.is_empty());
    let newest = newest.unwrap().state().step();
    fs::write(run.join(format!("checkpoint-{newest}/optimizer.safetensors")), "lost").unwrap();
    let (older, damaged) = Checkpoint::newest(&run).unwrap();
    assert_eq!(older.unwrap().state().step(), newest - 1);
    let [error] = &damaged[..] else { panic!("{damaged:?}") };
    let error = error.to_string();
    assert!(error.contains(&format!("checkpoint-{newest}/optimizer.safetensors: damaged")), "{error}");
}
