//! Malformed vocab.txt: missing special tokens, very long lines, invalid UTF-8.

use std::fs;

use embert_hostile::{FuzzTarget, damaged};

use crate::open;

const GOOD: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfilm\n##s\né\n";

#[test]
fn valid_vocabularies_are_read_and_invalid_ones_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("vocab.txt"), open);
    for (what, file) in [
        ("a valid file", GOOD.into()),
        ("line ends of Windows", GOOD.replace('\n', "\r\n")),
        ("a BOM", format!("\u{feff}{GOOD}")),
        ("a duplicate token", format!("{GOOD}the\n")),
        ("a token of a megabyte", format!("{GOOD}{}\n", "a".repeat(1 << 20))),
        ("control characters", format!("{GOOD}\0\n\u{1b}[31m\n\u{202e}\n")),
        ("a hundred thousand empty lines", format!("{GOOD}{}", "\n".repeat(100_000))),
        ("tokens of only whitespace", format!("{GOOD} \n\u{a0}\n\t\n")),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in [
        ("an empty file", vec![], "the file is empty"),
        ("spaces", b" \n\n ".to_vec(), "the file is empty"),
        ("no special tokens", b"the\nfilm\n".to_vec(), "lacks [PAD]"),
        ("a byte that is not UTF-8", [GOOD.as_bytes(), b"\xff\n"].concat(), "line 10 is not UTF-8"),
        ("a surrogate", [GOOD.as_bytes(), b"\xed\xa0\x80\n"].concat(), "line 10 is not UTF-8"),
        ("UTF-16", GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(), "line 9 is not UTF-8"),
        ("line ends of the classic Mac OS", GOOD.replace('\n', "\r").into_bytes(), "lacks [PAD]"),
        ("an HTML page", b"<!doctype html>\n<title>404</title>\n".to_vec(), "lacks [PAD]"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", target.finish(16, 0));
}

#[test]
fn mutated_vocabularies_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let large = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vocab.txt")).unwrap();
    let mut target = FuzzTarget::new(folder.path().join("vocab.txt"), open);
    target.mutations(damaged(GOOD.as_bytes(), 1000, 1));
    target.mutations(damaged(&large, 200, 2));
    println!("{}", target.finish(0, 1000));
}
