//! Texts: empty, of ten megabytes, of one character, of what nobody types. Each becomes tokens, soon.

use std::fs;
use std::path::Path;

use embert_hostile::{Attack, MemoryBound};
use embert_text::Tokenizer;

use crate::{limit, tokenizer};

/// One after another until there are so many bytes.
fn filled(part: &str, bytes: usize) -> String {
    part.repeat(bytes.div_ceil(part.len()))
}

/// What a text is made of.
const PARTS: [(&str, &str); 22] = [
    ("one letter", "a"),
    ("one letter that is not ASCII", "é"),
    ("one character of Chinese", "電"),
    ("an emoji", "😀"),
    ("emoji joined", "👩‍👩‍👧‍👦"),
    ("spaces", " "),
    ("line ends", "\r\n"),
    ("NUL", "\0"),
    ("escapes", "\u{1b}[31m"),
    ("right to left", "שלום العالم "),
    ("overrides of direction", "\u{202e}a\u{202c}"),
    ("marks that combine", "\u{301}"),
    ("a letter under marks", "e\u{301}\u{302}\u{303}"),
    ("a replacement", "\u{fffd}"),
    ("a letter that grows in lower case", "İ"),
    ("syllables that fall apart", "각"),
    ("one word of a ligature", "ﷺ"),
    ("special tokens", "[CLS][SEP][MASK]"),
    ("the prefix of pieces", "##"),
    ("punctuation", "!?-"),
    (
        "words of a hundred letters",
        "éäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöüéäöü ",
    ),
    ("noncharacters", "\u{ffff}\u{10ffff}"),
];

/// Where nothing parts a text into words, the tokenizers crate holds it whole, with 16 bytes or more for each character in
/// each of several steps.
const WITHOUT_WORDS: MemoryBound = MemoryBound { times: 192, plus: 8 << 20 };

/// The tokens that a text becomes, on one thread as in a data set.
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
fn every_text_becomes_tokens_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = tokenizer();
    let mut attack =
        Attack::new(folder.path().join("text"), |path: &Path| encode(&tokenizer, path)).within(WITHOUT_WORDS);
    attack.file("empty", "").unwrap();
    for (what, part) in PARTS {
        attack.file(what, filled(part, 1 << 19)).unwrap();
    }
    attack.file("ten megabytes of one letter", filled("a", 10 << 20)).unwrap();
    attack.file("ten megabytes of words", filled("An unwanted film, never seen! ", 10 << 20)).unwrap();
    println!("{}", attack.finish(25, 0));
}
