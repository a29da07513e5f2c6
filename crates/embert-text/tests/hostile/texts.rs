//! Unusual texts: empty, ten megabytes, one character, rare characters. Each is encoded within the time limit.

use std::fs;
use std::path::Path;

use embert_hostile::{FuzzTarget, MemoryBound};
use embert_text::Tokenizer;

use crate::{limit, tokenizer};

/// Repeats a text up to at least this number of bytes.
fn repeated(part: &str, bytes: usize) -> String {
    part.repeat(bytes.div_ceil(part.len()))
}

/// Texts to repeat.
const PARTS: [(&str, &str); 22] = [
    ("one letter", "a"),
    ("one letter that is not ASCII", "é"),
    ("one Chinese character", "電"),
    ("an emoji", "😀"),
    ("joined emoji", "👩‍👩‍👧‍👦"),
    ("spaces", " "),
    ("line ends", "\r\n"),
    ("NUL", "\0"),
    ("escapes", "\u{1b}[31m"),
    ("right to left", "שלום العالم "),
    ("direction overrides", "\u{202e}a\u{202c}"),
    ("combining marks", "\u{301}"),
    ("a letter with combining marks", "e\u{301}\u{302}\u{303}"),
    ("replacement characters", "\u{fffd}"),
    ("a letter with a longer lower case", "İ"),
    ("syllables that decompose", "각"),
    ("a ligature of several words", "ﷺ"),
    ("special tokens", "[CLS][SEP][MASK]"),
    ("the prefix of pieces", "##"),
    ("punctuation", "!?-"),
    (
        "words of a hundred letters",
        "éäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöü ",
    ),
    ("noncharacters", "\u{ffff}\u{10ffff}"),
];

/// The tokenizers crate processes a text without word boundaries as one piece. It needs at least 16 bytes per character
/// in each of several steps.
const WITHOUT_WORDS: MemoryBound = MemoryBound { times: 192, plus: 8 << 20 };

/// Encodes the text of a file as a dataset of one text.
fn encode(tokenizer: &Tokenizer, file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let encoded = tokenizer.encode_all(&[&text], limit(), &|_| {});
    let ids = encoded.ids(0);
    assert!((2..=512).contains(&ids.len()));
    assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
    assert_eq!(encoded.full_lengths()[0] > 512, ids.len() == 512 && encoded.full_lengths()[0] != 512);
    Ok(())
}

#[test]
fn unusual_texts_are_encoded_within_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let mut target = FuzzTarget::new(folder.path().join("text"), |path: &Path| encode(&tokenizer, path))
        .within(WITHOUT_WORDS);
    target.file("empty", "").unwrap();
    for (what, part) in PARTS {
        target.file(what, repeated(part, 1 << 19)).unwrap();
    }
    target.file("ten megabytes of one letter", repeated("a", 10 << 20)).unwrap();
    target.file("ten megabytes of words", repeated("An unwanted film, never seen! ", 10 << 20)).unwrap();
    println!("{}", target.finish(25, 0));
}
