//! Random texts with the lengths of IMDb's reviews.

use embert_kernels::mix64;
use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation};
use embert_train::Targets;

use crate::workload::Workload;

const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Returns the numbers of tokens of 512 IMDb reviews, at most `max_length`. `imdb_lengths.py` counted them.
pub(crate) fn imdb_lengths(max_length: usize) -> Vec<usize> {
    let lengths: Vec<usize> =
        serde_json::from_str(include_str!("../imdb_lengths.json")).expect("a list of numbers");
    lengths.into_iter().map(|length| length.min(max_length)).collect()
}

/// Returns texts with the lengths of the workload.
pub(crate) fn texts(workload: &Workload) -> EncodedTexts {
    let vocab_size = workload.config.encoder().vocab_size;
    let words = (SPECIAL_TOKENS.len()..vocab_size).map(|id| format!("w{id}"));
    let vocabulary: Vec<String> = SPECIAL_TOKENS.map(String::from).into_iter().chain(words).collect();
    let tokenizer = Tokenizer::from_vocab(&vocabulary).expect("no token is repeated");
    let texts: Vec<String> =
        workload.lengths.iter().enumerate().map(|(row, &length)| text(row, length, &vocabulary)).collect();
    let limit = Limit::new(workload.max_length, Truncation::Right, workload.config.encoder().max_length());
    tokenizer.encode_all(&texts, limit.expect("no more than the positions"), &|_| ())
}

/// Returns a text with `length` tokens, including `[CLS]` and `[SEP]`.
fn text(row: usize, length: usize, vocabulary: &[String]) -> String {
    let words = &vocabulary[SPECIAL_TOKENS.len()..];
    let word = |place: usize| words[mix64((row << 32 | place) as u64) as usize % words.len()].as_str();
    (2..length).map(word).collect::<Vec<_>>().join(" ")
}

/// Returns labels 0 and 1 in turn.
pub(crate) fn targets(workload: &Workload) -> Targets {
    Targets::Labels((0..workload.lengths.len()).map(|row| row % 2).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model_size::minilm, workload::Task};

    #[test]
    fn texts_have_the_lengths_of_the_reviews() {
        let lengths = imdb_lengths(256);
        assert_eq!((lengths.len(), lengths[0], lengths[4]), (512, 179, 256));
        let config = minilm().config;
        let workload = Workload {
            task: Task::Full,
            config,
            bf16: false,
            fp16: false,
            batch_size: 8,
            max_length: 256,
            lengths,
            warm_up: 2,
            steps: 6,
            on_gpu: false,
            devices: 1,
        };
        let texts = texts(&workload);
        assert_eq!(texts.lengths(), workload.lengths);
        assert!((0..8).all(|row| texts.ids(row).iter().all(|&id| id != 1)), "no word is unknown");
    }
}
