//! Learning a WordPiece vocabulary: join the most frequent pair of pieces, again and again.
//!
//! This is what the `tokenizers` crate's trainer computes, except that ties go to the pair of lowest
//! ids and letters are numbered in order; there they follow the order of a hash map, so that two runs
//! over the same texts differ.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use rayon::prelude::*;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, PreTokenizedString, PreTokenizer};

use crate::vocabulary::SPECIAL_TOKENS;
use crate::{Result, TextError};

/// Letters beyond the most frequent thousand become `[UNK]`, as in BertWordPieceTokenizer.
const MAX_LETTERS: usize = 1000;
/// A pair seen once is a typing error rather than a piece, as in BertWordPieceTokenizer.
const MIN_FREQUENCY: u64 = 2;
/// Longer words are `[UNK]` to WordPiece whatever the vocabulary holds.
const MAX_LETTERS_PER_WORD: usize = 100;

type Pair = (u32, u32);

/// The tokens by id: special tokens, letters, letters inside a word, then pieces by frequency.
pub(crate) fn vocabulary<T: AsRef<str> + Sync>(texts: &[T], vocab_size: usize) -> Result<Vec<String>> {
    let counts = count_words(texts);
    let letters = frequent_letters(&counts);
    let mut pieces = Pieces::new(&counts, &letters);
    if pieces.tokens.len() > vocab_size {
        return Err(TextError::VocabSizeTooSmall { vocab_size, needed: pieces.tokens.len() });
    }
    while pieces.tokens.len() < vocab_size {
        let Some(pair) = pieces.most_frequent_pair() else { break };
        pieces.join(pair);
    }
    Ok(pieces.tokens)
}

fn count_words<T: AsRef<str> + Sync>(texts: &[T]) -> BTreeMap<String, u64> {
    let count_in = |mut counts: BTreeMap<String, u64>, text: &T| {
        for word in words(text.as_ref()) {
            *counts.entry(word).or_default() += 1;
        }
        counts
    };
    let sum = |mut left: BTreeMap<String, u64>, right: BTreeMap<String, u64>| {
        for (word, count) in right {
            *left.entry(word).or_default() += count;
        }
        left
    };
    texts.par_iter().fold(BTreeMap::new, count_in).reduce(BTreeMap::new, sum)
}

fn words(text: &str) -> Vec<String> {
    let mut normalized = NormalizedString::from(text);
    BertNormalizer::default().normalize(&mut normalized).expect("BERT's normalizer takes every text");
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut split).expect("BERT's pre-tokenizer takes every text");
    let words =
        split.get_splits(OffsetReferential::Normalized, OffsetType::Byte).into_iter().map(|(word, ..)| word);
    words.filter(|word| word.chars().count() <= MAX_LETTERS_PER_WORD).map(str::to_owned).collect()
}

fn frequent_letters(counts: &BTreeMap<String, u64>) -> BTreeSet<char> {
    let mut letters: BTreeMap<char, u64> = BTreeMap::new();
    for (word, count) in counts {
        for letter in word.chars() {
            *letters.entry(letter).or_default() += count;
        }
    }
    let mut letters: Vec<_> = letters.into_iter().collect();
    letters.sort_by_key(|(letter, count)| (Reverse(*count), *letter));
    letters.into_iter().take(MAX_LETTERS).map(|(letter, _)| letter).collect()
}

/// Words as the pieces that they consist of so far, and how often each pair of neighbours occurs.
struct Pieces {
    tokens: Vec<String>,
    ids: HashMap<String, u32>,
    words: Vec<(Vec<u32>, u64)>,
    pair_counts: HashMap<Pair, u64>,
    /// Words that hold or have held a pair.
    found_in: HashMap<Pair, BTreeSet<usize>>,
    /// Most frequent first, then lowest ids; counts that have changed since are skipped.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl Pieces {
    fn new(counts: &BTreeMap<String, u64>, letters: &BTreeSet<char>) -> Self {
        let mut pieces = Self {
            tokens: Vec::new(),
            ids: HashMap::new(),
            words: Vec::new(),
            pair_counts: HashMap::new(),
            found_in: HashMap::new(),
            queue: BinaryHeap::new(),
        };
        let inner: BTreeSet<char> = counts.keys().flat_map(|word| word.chars().skip(1)).collect();
        pieces.number(SPECIAL_TOKENS.map(str::to_owned));
        pieces.number(letters.iter().map(char::to_string));
        pieces.number(inner.intersection(letters).map(|letter| format!("##{letter}")));
        for (word, count) in counts {
            pieces.add_word(word, *count, letters);
        }
        pieces.queue = pieces.pair_counts.iter().map(|(pair, count)| (*count, Reverse(*pair))).collect();
        pieces
    }

    fn number(&mut self, tokens: impl IntoIterator<Item = String>) {
        for token in tokens {
            self.id(&token);
        }
    }

    fn add_word(&mut self, word: &str, count: u64, letters: &BTreeSet<char>) {
        if !word.chars().all(|letter| letters.contains(&letter)) {
            return;
        }
        let prefix = |place| if place == 0 { "" } else { "##" };
        let letters = word.chars().enumerate().map(|(place, letter)| format!("{}{letter}", prefix(place)));
        let ids: Vec<_> = letters.map(|letter| self.id(&letter)).collect();
        let number = self.words.len();
        for pair in neighbours(&ids) {
            *self.pair_counts.entry(pair).or_default() += count;
            self.found_in.entry(pair).or_default().insert(number);
        }
        self.words.push((ids, count));
    }

    fn most_frequent_pair(&mut self) -> Option<Pair> {
        loop {
            let (count, Reverse(pair)) = self.queue.pop()?;
            if count == self.pair_counts[&pair] {
                return (count >= MIN_FREQUENCY).then_some(pair);
            }
        }
    }

    fn join(&mut self, pair: Pair) {
        let (left, right) = (&self.tokens[pair.0 as usize], &self.tokens[pair.1 as usize]);
        let joined = format!("{left}{}", right.strip_prefix("##").unwrap_or(right));
        let joined = self.id(&joined);
        let mut changed = BTreeSet::new();
        for number in self.found_in.remove(&pair).unwrap_or_default() {
            let (ids, count) = &mut self.words[number];
            for pair in neighbours(ids) {
                *self.pair_counts.entry(pair).or_default() -= *count;
                changed.insert(pair);
            }
            *ids = replace(ids, pair, joined);
            for pair in neighbours(ids) {
                *self.pair_counts.entry(pair).or_default() += *count;
                self.found_in.entry(pair).or_default().insert(number);
                changed.insert(pair);
            }
        }
        self.queue.extend(changed.into_iter().map(|pair| (self.pair_counts[&pair], Reverse(pair))));
    }

    fn id(&mut self, token: &str) -> u32 {
        if let Some(id) = self.ids.get(token) {
            return *id;
        }
        let id = self.tokens.len() as u32;
        self.ids.insert(token.to_owned(), id);
        self.tokens.push(token.to_owned());
        id
    }
}

fn neighbours(ids: &[u32]) -> Vec<Pair> {
    ids.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

fn replace(ids: &[u32], pair: Pair, joined: u32) -> Vec<u32> {
    let mut replaced = Vec::with_capacity(ids.len());
    let mut place = 0;
    while place < ids.len() {
        let found = ids[place] == pair.0 && ids.get(place + 1) == Some(&pair.1);
        replaced.push(if found { joined } else { ids[place] });
        place += if found { 2 } else { 1 };
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_pair_is_joined_first_and_ties_go_to_the_lowest_ids() {
        // Pairs: a+##b 3, ##b+##c 3, x+##y 2. Ids: a 5, b 6 ... : (a, ##b) comes before (##b, ##c).
        let texts = ["abc ABC", "xy", "abc xy"];
        let tokens = vocabulary(&texts, 100).unwrap();
        let expected = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "x", "y", "##b", "##c", "##y", "ab",
            "abc", "xy",
        ];
        assert_eq!(tokens, expected);
        assert_eq!(vocabulary(&texts, 14).unwrap(), expected[..14]);
    }

    #[test]
    fn a_pair_seen_once_is_not_joined() {
        assert!(!vocabulary(&["zq"], 100).unwrap().contains(&"zq".to_owned()));
    }

    #[test]
    fn repeated_letters_are_joined_from_the_left() {
        assert_eq!(replace(&[1, 1, 1], (1, 1), 9), [9, 1]);
        assert_eq!(replace(&[1, 2, 1, 2], (1, 2), 9), [9, 9]);
        assert_eq!(replace(&[2, 1], (1, 2), 9), [2, 1]);
    }

    #[test]
    fn too_small_a_vocabulary_says_what_would_do() {
        let error = vocabulary(&["abc"], 9).unwrap_err().to_string();
        assert!(error.contains("vocab_size 9") && error.contains("need 10"), "{error}");
        assert_eq!(vocabulary(&["abc"], 10).unwrap().len(), 10);
    }
}
