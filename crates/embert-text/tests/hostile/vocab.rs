//! vocab.txt: no special tokens, lines without end, bytes that are no text.

use std::fs;

use embert_hostile::{Attack, damaged};

use crate::open;

const GOOD: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nfilm\n##s\né\n";

#[test]
fn a_vocabulary_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut attack = Attack::new(folder.path().join("vocab.txt"), open);
    for (what, file) in [
        ("unharmed", GOOD.into()),
        ("old line ends", GOOD.replace('\n', "\r\n")),
        ("a BOM", format!("\u{feff}{GOOD}")),
        ("a token twice", format!("{GOOD}the\n")),
        ("a token of a megabyte", format!("{GOOD}{}\n", "a".repeat(1 << 20))),
        ("control characters", format!("{GOOD}\0\n\u{1b}[31m\n\u{202e}\n")),
        ("a hundred thousand empty lines", format!("{GOOD}{}", "\n".repeat(100_000))),
        ("tokens of spaces alone", format!("{GOOD} \n\u{a0}\n\t\n")),
    ] {
        attack.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in [
        ("nothing", vec![], "the file is empty"),
        ("spaces", b" \n\n ".to_vec(), "the file is empty"),
        ("no special tokens", b"the\nfilm\n".to_vec(), "lacks [PAD]"),
        ("a byte that is no text", [GOOD.as_bytes(), b"\xff\n"].concat(), "line 10 is not UTF-8"),
        ("a surrogate", [GOOD.as_bytes(), b"\xed\xa0\x80\n"].concat(), "line 10 is not UTF-8"),
        ("UTF-16", GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect(), "line 9 is not UTF-8"),
        ("old Mac's line ends", GOOD.replace('\n', "\r").into_bytes(), "lacks [PAD]"),
        ("an HTML page", b"<!doctype html>\n<title>404</title>\n".to_vec(), "lacks [PAD]"),
    ] {
        let error = attack.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    println!("{}", attack.finish(16, 0));
}

#[test]
fn no_damage_to_a_vocabulary_does_harm() {
    let folder = tempfile::tempdir().unwrap();
    let large = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vocab.txt")).unwrap();
    let mut attack = Attack::new(folder.path().join("vocab.txt"), open);
    attack.mutations(damaged(GOOD.as_bytes(), 1000, 1));
    attack.mutations(damaged(&large, 200, 2));
    println!("{}", attack.finish(0, 1000));
}
