//! Trains a WordPiece vocabulary: merges the most frequent pair of pieces until the vocabulary is full.
//!
//! The algorithm is that of `WordPieceTrainer` in the `tokenizers` crate, but deterministic: ties go to the pair with
//! the lowest ids, and characters are numbered in order. There, both follow the order of a hash map.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use rayon::prelude::*;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{NormalizedString, Normalizer, OffsetReferential, PreTokenizedString, PreTokenizer};

use crate::tokenizer_class::BERT_TOKENS;
use crate::{Result, TextError};

/// Maximum number of characters in the alphabet: `limit_alphabet` of BertWordPieceTokenizer.
const LIMIT_ALPHABET: usize = 1000;
/// Minimum frequency of a merged pair: `min_frequency` of BertWordPieceTokenizer.
const MIN_FREQUENCY: u64 = 2;
/// Maximum number of characters of a word. WordPiece encodes longer words as `[UNK]`.
const MAX_INPUT_CHARS_PER_WORD: usize = 100;

type Pair = (u32, u32);

/// Returns the tokens by id: special tokens, characters, characters inside a word, then merged pieces by frequency.
pub(crate) fn vocabulary<T: AsRef<str> + Sync>(texts: &[T], vocab_size: usize) -> Result<Vec<String>> {
    let word_counts = count_words(texts);
    let alphabet = alphabet(&word_counts);
    let mut trainer = WordPieceTrainer::new(&word_counts, &alphabet);
    if trainer.tokens.len() > vocab_size {
        return Err(TextError::VocabSizeTooSmall { vocab_size, needed: trainer.tokens.len() });
    }
    while trainer.tokens.len() < vocab_size {
        let Some(pair) = trainer.most_frequent_pair() else { break };
        trainer.merge(pair);
    }
    Ok(trainer.tokens)
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
    BertNormalizer::default().normalize(&mut normalized).expect("BERT's normalizer accepts every text");
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut split).expect("BERT's pre-tokenizer accepts every text");
    let words =
        split.get_splits(OffsetReferential::Normalized, OffsetType::Byte).into_iter().map(|(word, ..)| word);
    words.filter(|word| word.chars().count() <= MAX_INPUT_CHARS_PER_WORD).map(str::to_owned).collect()
}

/// Returns the most frequent characters.
fn alphabet(word_counts: &BTreeMap<String, u64>) -> BTreeSet<char> {
    let mut char_counts: BTreeMap<char, u64> = BTreeMap::new();
    for (word, count) in word_counts {
        for character in word.chars() {
            *char_counts.entry(character).or_default() += count;
        }
    }
    let mut char_counts: Vec<_> = char_counts.into_iter().collect();
    char_counts.sort_by_key(|(character, count)| (Reverse(*count), *character));
    char_counts.into_iter().take(LIMIT_ALPHABET).map(|(character, _)| character).collect()
}

/// The state of training: the pieces of each word, and the counts of adjacent pairs.
struct WordPieceTrainer {
    tokens: Vec<String>,
    ids: HashMap<String, u32>,
    /// The ids of the pieces of each word, and its count.
    words: Vec<(Vec<u32>, u64)>,
    pair_counts: HashMap<Pair, u64>,
    /// Indices of the words that contain a pair, or contained it before a merge.
    words_by_pair: HashMap<Pair, BTreeSet<usize>>,
    /// Pairs by count, then by lowest ids. Entries with an outdated count are skipped.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl WordPieceTrainer {
    fn new(word_counts: &BTreeMap<String, u64>, alphabet: &BTreeSet<char>) -> Self {
        let mut trainer = Self {
            tokens: Vec::new(),
            ids: HashMap::new(),
            words: Vec::new(),
            pair_counts: HashMap::new(),
            words_by_pair: HashMap::new(),
            queue: BinaryHeap::new(),
        };
        let inner: BTreeSet<char> = word_counts.keys().flat_map(|word| word.chars().skip(1)).collect();
        trainer.add_tokens(BERT_TOKENS.map(|(_, token)| token.to_owned()));
        trainer.add_tokens(alphabet.iter().map(char::to_string));
        trainer.add_tokens(inner.intersection(alphabet).map(|character| format!("##{character}")));
        for (word, count) in word_counts {
            trainer.add_word(word, *count, alphabet);
        }
        trainer.queue = trainer.pair_counts.iter().map(|(pair, count)| (*count, Reverse(*pair))).collect();
        trainer
    }

    fn add_tokens(&mut self, tokens: impl IntoIterator<Item = String>) {
        for token in tokens {
            self.id(&token);
        }
    }

    fn add_word(&mut self, word: &str, count: u64, alphabet: &BTreeSet<char>) {
        if !word.chars().all(|character| alphabet.contains(&character)) {
            return;
        }
        let prefix = |position| if position == 0 { "" } else { "##" };
        let pieces = word.chars().enumerate();
        let pieces = pieces.map(|(position, character)| format!("{}{character}", prefix(position)));
        let ids: Vec<_> = pieces.map(|piece| self.id(&piece)).collect();
        let index = self.words.len();
        for pair in pairs(&ids) {
            *self.pair_counts.entry(pair).or_default() += count;
            self.words_by_pair.entry(pair).or_default().insert(index);
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

    /// Adds the merged token of a pair and replaces the pair in all words.
    fn merge(&mut self, pair: Pair) {
        let (left, right) = (&self.tokens[pair.0 as usize], &self.tokens[pair.1 as usize]);
        let merged = format!("{left}{}", right.strip_prefix("##").unwrap_or(right));
        let merged = self.id(&merged);
        let mut changed = BTreeSet::new();
        for index in self.words_by_pair.remove(&pair).unwrap_or_default() {
            let (ids, count) = &mut self.words[index];
            for pair in pairs(ids) {
                *self.pair_counts.entry(pair).or_default() -= *count;
                changed.insert(pair);
            }
            *ids = replace(ids, pair, merged);
            for pair in pairs(ids) {
                *self.pair_counts.entry(pair).or_default() += *count;
                self.words_by_pair.entry(pair).or_default().insert(index);
                changed.insert(pair);
            }
        }
        self.queue.extend(changed.into_iter().map(|pair| (self.pair_counts[&pair], Reverse(pair))));
    }

    /// Returns the id of a token. Adds the token if it is new.
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

/// Returns all adjacent pairs.
fn pairs(ids: &[u32]) -> Vec<Pair> {
    ids.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Replaces each occurrence of a pair, from left to right.
fn replace(ids: &[u32], pair: Pair, merged: u32) -> Vec<u32> {
    let mut replaced = Vec::with_capacity(ids.len());
    let mut position = 0;
    while position < ids.len() {
        let found = ids[position] == pair.0 && ids.get(position + 1) == Some(&pair.1);
        replaced.push(if found { merged } else { ids[position] });
        position += if found { 2 } else { 1 };
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_pair_is_merged_first_and_ties_go_to_the_lowest_ids() {
        // Counts: a+##b 3, ##b+##c 3, x+##y 2. Ids: a 5, b 6 and so on, so (a, ##b) comes before (##b, ##c).
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
    fn a_pair_that_occurs_once_is_not_merged() {
        assert!(!vocabulary(&["zq"], 100).unwrap().contains(&"zq".to_owned()));
    }

    #[test]
    fn pairs_are_replaced_from_left_to_right() {
        assert_eq!(replace(&[1, 1, 1], (1, 1), 9), [9, 1]);
        assert_eq!(replace(&[1, 2, 1, 2], (1, 2), 9), [9, 9]);
        assert_eq!(replace(&[2, 1], (1, 2), 9), [2, 1]);
    }

    #[test]
    fn a_vocab_size_that_is_too_small_is_an_error_with_the_minimum() {
        let error = vocabulary(&["abc"], 9).unwrap_err().to_string();
        assert!(error.contains("vocab_size 9") && error.contains("need 10"), "{error}");
        assert_eq!(vocabulary(&["abc"], 10).unwrap().len(), 10);
    }
}
