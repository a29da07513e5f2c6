//! Hostile pytorch_model.bin files: damaged archives, and files cut at each length or with a flipped bit in each byte.

use std::fs;

use embert_hostile::{FuzzTarget, damaged};

use crate::pickle::load;
use crate::{fixture, folder_of};

/// Returns a copy with each `from` replaced by `to` of the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut copy = bytes.to_vec();
    for begin in positions(bytes, from) {
        copy[begin..begin + to.len()].copy_from_slice(to);
    }
    copy
}

fn positions(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    let found = bytes.windows(part.len()).enumerate().filter(|(_, window)| *window == part);
    let positions = found.map(|(position, _)| position).collect::<Vec<_>>();
    assert!(!positions.is_empty());
    positions
}

/// Returns a copy with other bytes at `offset` of all headers that begin with `signature`.
fn patched(bytes: &[u8], signature: &[u8], offset: usize, value: &[u8]) -> Vec<u8> {
    let mut copy = bytes.to_vec();
    for begin in positions(bytes, signature) {
        copy[begin + offset..begin + offset + value.len()].copy_from_slice(value);
    }
    copy
}

/// Returns archives that PyTorch does not write, and part of the error for each.
fn archives(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    const LOCAL: &[u8] = b"PK\x03\x04";
    const CENTRAL: &[u8] = b"PK\x01\x02";
    const END: &[u8] = b"PK\x05\x06";
    const END_64: &[u8] = b"PK\x06\x06";
    let compressed = patched(&patched(good, LOCAL, 8, &[8, 0]), CENTRAL, 10, &[8, 0]);
    let encrypted = patched(&patched(good, LOCAL, 6, &[9, 8]), CENTRAL, 8, &[9, 8]);
    vec![
        ("compressed members", compressed, "is compressed or encrypted"),
        ("encrypted members", encrypted, "is compressed or encrypted"),
        ("a size of 4 GB", patched(good, CENTRAL, 24, &[0xfe, 0xff, 0xff, 0xff]), "compressed or encrypted"),
        ("sizes of 4 GB", patched(good, CENTRAL, 20, &[0xfe, 0xff, 0xff, 0xff].repeat(2)), "overlap"),
        ("members at one position", patched(good, CENTRAL, 42, &[0; 4]), "overlap"),
        ("members behind the end", patched(good, CENTRAL, 42, &[0, 0, 0, 0x7f]), ""),
        ("one name twice", replaced(good, b"zip/data/1", b"zip/data/0"), "overlap"),
        (
            "a member with another name",
            replaced(good, b"zip/data.pkl", b"zip/data.pyc"),
            "the archive has no data.pkl",
        ),
        ("a missing storage", replaced(good, b"zip/data/1", b"zip/data/x"), "the file has no storage \"1\""),
        ("big-endian values", replaced(good, b"little", b"bigbig"), "its byte order is not little-endian"),
        ("no members", patched(good, END, 8, &[0; 4]), ""),
        ("65,534 members", patched(good, END, 8, &[0xfe, 0xff, 0xfe, 0xff]), ""),
        ("all members", patched(good, END_64, 24, &[0xff; 16]), ""),
        ("a directory behind the end", patched(good, END, 16, &[0xfe, 0xff, 0xff, 0xff]), ""),
        ("bytes before the archive", [b"PK\x03\x04", good].concat(), ""),
        ("only an end", b"PK\x03\x04PK\x05\x06".iter().copied().chain([0; 18]).collect(), "no data.pkl"),
    ]
}

#[test]
fn archives_that_pytorch_does_not_write_are_refused() {
    let folder = folder_of("pytorch", &["config.json"]);
    let mut target = FuzzTarget::new(folder.path().join("pytorch_model.bin"), load);
    let good = fs::read(fixture("pytorch/zip.bin")).unwrap();
    target.file("undamaged", &good).unwrap();
    for (what, file, expected) in archives(&good) {
        match target.file(what, file) {
            Ok(()) => assert!(expected.is_empty(), "{what}: the reader must reject this file"),
            Err(error) => assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}"),
        }
    }
    println!("{}", target.finish(17, 0));
}

#[test]
fn damaged_pytorch_files_never_panic() {
    for format in ["zip", "legacy"] {
        let folder = folder_of("pytorch", &["config.json"]);
        let good = fs::read(fixture(&format!("pytorch/{format}.bin"))).unwrap();
        let mut target = FuzzTarget::new(folder.path().join("pytorch_model.bin"), load);
        target.file("undamaged", &good).unwrap();
        for length in 0..good.len() {
            target.refused(&format!("cut to {length} bytes"), &good[..length]);
        }
        let flipped = (0..good.len()).map(|at| {
            let mut copy = good.clone();
            copy[at] ^= 1 << (at % 8);
            (format!("bit flipped at {at}"), copy)
        });
        target.mutations(flipped);
        target.mutations(damaged(&good, 500, 25));
        println!("{}", target.finish(good.len() + 1, good.len() + 500));
    }
}
