//! Unusual texts: empty, ten megabytes, one character, rare characters. Each is encoded within the time limit.

use std::fs;
use std::path::Path;

use embert_hostile::{FuzzTarget, MemoryBound};
use embert_text::{TextError, Tokenizer, TruncationStrategy};

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

/// The tokenizers crate has an object for each word and each token.
const BY_THE_CRATE: MemoryBound = MemoryBound { times: 1024, plus: 8 << 20 };

/// The ids of `[CLS]` and `[SEP]` in the committed vocabulary.
const CLS: u32 = 2;
const SEP: u32 = 3;

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

/// Encodes the text of a file as the first, the second and both texts of a pair.
fn encode_pairs(tokenizer: &Tokenizer, file: &Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (texts, text_pairs) = ([&text, "a film", &text], ["a film", &text, &text]);
    for strategy in
        [TruncationStrategy::LongestFirst, TruncationStrategy::OnlyFirst, TruncationStrategy::OnlySecond]
    {
        let limit = limit().with_strategy(strategy);
        let encoded = match tokenizer.encode_all_pairs(&texts, &text_pairs, limit, &|_| {}) {
            Ok(encoded) => encoded,
            Err(TextError::PairTooLong { .. }) if strategy != TruncationStrategy::LongestFirst => continue,
            Err(error) => return Err(error.to_string()),
        };
        for row in 0..3 {
            let (ids, first) = (encoded.ids(row), encoded.first_segment_length(row).unwrap());
            assert!((3..=512).contains(&ids.len()) && (2..ids.len()).contains(&first));
            assert!(ids.iter().all(|id| (*id as usize) < tokenizer.vocab_size()));
            assert_eq!((ids[0], ids[first - 1], ids.last()), (CLS, SEP, Some(&SEP)));
        }
    }
    Ok(())
}

#[test]
fn unusual_texts_are_encoded_within_the_limits() {
    let tokenizer = tokenizer();
    encode_unusual_texts(1, |file| encode(&tokenizer, file));
}

#[test]
fn pairs_of_unusual_texts_are_encoded_within_the_limits() {
    let tokenizer = tokenizer();
    encode_unusual_texts(16, |file| encode_pairs(&tokenizer, file));
}

/// The tokenizers crate encodes other models than WordPiece. It needs more memory, but no more per byte for long texts.
#[test]
fn unusual_texts_are_encoded_within_the_limits_by_other_families() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tokenizers");
    for family in ["roberta", "modernbert", "xlm-roberta", "deberta-v2-settings", "albert", "mpnet"] {
        let tokenizer = Tokenizer::from_file(&fixtures.join(family).join("tokenizer.json")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let encode = |file: &Path| encode(&tokenizer, file);
        let mut target = FuzzTarget::new(folder.path().join("text"), encode).within(BY_THE_CRATE);
        for part in ["a", " ", "中", "\u{301}", "the film ", "\n", "▁", "'", "<mask>", "[MASK] ", "<s>x"] {
            target.file(part, repeated(part, 1 << 17)).unwrap();
        }
        target.file("a megabyte without spaces", "a".repeat(1 << 20)).unwrap();
        println!("{family}: {}", target.finish(12, 0));
    }
}

/// Calls `encode` with files of unusual texts, which are `shorter` times smaller than the longest.
fn encode_unusual_texts(shorter: usize, encode: impl Fn(&Path) -> Result<(), String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut target = FuzzTarget::new(folder.path().join("text"), encode).within(WITHOUT_WORDS);
    target.file("empty", "").unwrap();
    for (what, part) in PARTS {
        target.file(what, repeated(part, (1 << 19) / shorter)).unwrap();
    }
    let megabytes = (10 << 20) / shorter;
    target.file("megabytes of one letter", repeated("a", megabytes)).unwrap();
    target.file("megabytes of words", repeated("An unwanted film, never seen! ", megabytes)).unwrap();
    println!("{}", target.finish(25, 0));
}
