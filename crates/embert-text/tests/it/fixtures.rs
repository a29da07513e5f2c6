//! Test fixtures: the tokenizer of the committed vocabulary, limits and texts.

use std::path::{Path, PathBuf};

use embert_text::{Limit, Tokenizer, Truncation};

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

pub(crate) fn tokenizer() -> Tokenizer {
    Tokenizer::from_file(&path("vocab.txt")).unwrap()
}

/// Returns a limit that truncates no text.
pub(crate) fn unlimited() -> Limit {
    Limit::new(1_000_000, Truncation::Right, 1_000_000).unwrap()
}

pub(crate) fn limit(max_length: usize, truncation: Truncation) -> Limit {
    Limit::new(max_length, truncation, 512).unwrap()
}

/// Returns texts of very different lengths; the same seed gives the same texts.
pub(crate) fn texts(count: usize, seed: u64) -> Vec<String> {
    let words =
        ["good", "bad", "the", "film", "unwanted", "naïve", "電影", "Łódź", "running!", "x", "😀", "<br />"];
    let mut state = seed;
    let mut next = |bound: usize| {
        // Knuth's MMIX generator; its high bits are the most random ones.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let mut text = || {
        let num_words = 1 << next(7);
        let chosen: Vec<_> = (0..next(num_words)).map(|_| words[next(words.len())]).collect();
        chosen.join(" ")
    };
    (0..count).map(|_| text()).collect()
}
