//! Damaged checkpoints: every lost or changed byte is detected.

use std::fs;
use std::path::{Path, PathBuf};

use embert_train::{Checkpoint, TrainError};
use rayon::prelude::*;

use crate::resume_recipes::lora;
use crate::tiny;

/// Creates an unfinished run of an adapter. Its files are small, so that the tests can change every byte.
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

/// Replaces a file by `bytes`, and asserts that opening the checkpoint fails with the file's path.
#[track_caller]
fn assert_detected(file: &Path, bytes: &[u8], what: &str) {
    fs::write(file, bytes).unwrap();
    let error = Checkpoint::open(file.parent().unwrap()).expect_err(what);
    let named =
        matches!(&error, TrainError::Checkpoint { path, .. } | TrainError::Io { path, .. } if path == file);
    assert!(named, "{}, {what}: {error}", file.display());
}

/// Cuts a file at every length, flips a bit of every byte, and restores the file. Returns the number of changes.
fn damage(file: &Path) -> usize {
    let intact = fs::read(file).unwrap();
    for length in 0..intact.len() {
        assert_detected(file, &intact[..length], &format!("cut to {length} bytes"));
    }
    for at in 0..intact.len() {
        let mut flipped = intact.clone();
        flipped[at] ^= 1 << (at % 8);
        assert_detected(file, &flipped, &format!("a bit of byte {at} flipped"));
    }
    assert_detected(file, &[&intact[..], b" "].concat(), "a byte too long");
    fs::write(file, &intact).unwrap();
    Checkpoint::open(file.parent().unwrap()).unwrap();
    2 * intact.len() + 1
}

#[test]
fn every_cut_and_every_flipped_bit_is_detected() {
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
    println!("{changes} changes of {count} files, all detected");
    assert!(count >= 9 && changes > 20_000, "{count} files, {changes} changes");
}

#[test]
fn the_error_names_a_missing_file() {
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
fn a_damaged_checkpoint_is_skipped_with_an_error() {
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
