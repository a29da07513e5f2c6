//! Properties of samplers and batches: each row occurs once, and the same seed gives the same batches.

use std::sync::atomic::{AtomicUsize, Ordering};

use embert_text::{
    BatchBudget, EncodedTexts, Padding, SamplingStrategy, Truncation, evaluation_batches, in_row_order,
    training_batches,
};

use crate::fixtures::{limit, texts, tokenizer};

const STRATEGIES: [SamplingStrategy; 2] = [SamplingStrategy::Random, SamplingStrategy::GroupByLength];

fn encoded(count: usize, seed: u64) -> EncodedTexts {
    tokenizer().encode_all(&texts(count, seed), limit(48, Truncation::Right), &|_| ())
}

/// Returns row counts around the ends of batches and mega-batches.
fn sizes() -> impl Iterator<Item = (usize, usize)> {
    let counts = [0, 1, 7, 8, 9, 63, 64, 65, 400, 401, 1603];
    counts.into_iter().flat_map(|count| [1, 3, 8].map(|batch_size| (count, batch_size)))
}

#[test]
fn every_row_is_in_one_batch_of_each_epoch() {
    for (count, batch_size) in sizes() {
        let lengths = encoded(count, count as u64).lengths();
        for strategy in STRATEGIES {
            let batches = training_batches(&lengths, batch_size, strategy, 1, 2);
            assert_complete(&batches, count);
            let full = count / batch_size;
            assert!(
                batches[..full].iter().all(|batch| batch.len() == batch_size),
                "{strategy:?} {count} {batch_size}"
            );
            assert_eq!(batches.len(), count.div_ceil(batch_size));
        }
        for budget in [BatchBudget::Examples(batch_size), BatchBudget::Tokens(batch_size * 40)] {
            assert_complete(&evaluation_batches(&lengths, budget), count);
        }
    }
}

#[test]
fn training_batches_depend_only_on_seed_and_epoch() {
    let lengths = encoded(401, 3).lengths();
    for strategy in STRATEGIES {
        let batches = |seed, epoch| training_batches(&lengths, 8, strategy, seed, epoch);
        for seed in 0..5 {
            assert_eq!(batches(seed, 1), batches(seed, 1));
            assert_ne!(batches(seed, 1), batches(seed, 2));
            assert_ne!(batches(seed, 1), batches(seed + 1, 1));
            assert_ne!(batches(seed, seed + 1), batches(seed + 1, seed));
        }
    }
}

#[test]
fn the_longest_text_is_in_the_first_grouped_batch() {
    for (count, batch_size) in sizes().filter(|(count, _)| *count > 0) {
        let lengths = encoded(count, 5).lengths();
        let batches = training_batches(&lengths, batch_size, SamplingStrategy::GroupByLength, 9, 0);
        let longest_of_first = batches[0].iter().map(|row| lengths[*row]).max();
        assert_eq!(longest_of_first, lengths.iter().copied().max(), "{count} {batch_size}");
    }
}

#[test]
fn batches_stay_within_a_token_budget_unless_one_text_exceeds_it() {
    let lengths = encoded(401, 4).lengths();
    for max_tokens in [1, 20, 100, 1000, 1_000_000] {
        for batch in evaluation_batches(&lengths, BatchBudget::Tokens(max_tokens)) {
            let longest = batch.iter().map(|row| lengths[*row]).max().unwrap();
            assert!(batch.len() == 1 || batch.len() * longest <= max_tokens, "{batch:?} at {max_tokens}");
        }
    }
}

#[test]
fn packed_and_padded_batches_have_the_same_tokens() {
    let encoded = encoded(203, 6);
    let pad_id = tokenizer().pad_id();
    for rows in training_batches(&encoded.lengths(), 8, SamplingStrategy::Random, 0, 0) {
        let packed = encoded.batch(&rows, Padding::Packed);
        assert_eq!(packed.ids, rows.iter().flat_map(|row| encoded.ids(*row)).collect::<Vec<_>>());
        assert_eq!((packed.padded_to, packed.ids.len()), (None, packed.num_tokens()));
        for padding in [Padding::Longest, Padding::MultipleOf(16), Padding::MaxLength] {
            let padded = encoded.batch(&rows, padding);
            let sequence_len = padded.padded_to.unwrap();
            assert_eq!(padded.ids.len(), sequence_len * padded.batch_size());
            assert_eq!((&padded.rows, &padded.lengths), (&packed.rows, &packed.lengths));
            let sequences = padded.ids.chunks(sequence_len).zip(&padded.lengths);
            let (tokens, rest): (Vec<_>, Vec<_>) =
                sequences.map(|(ids, length)| ids.split_at(*length)).unzip();
            assert_eq!(tokens.concat(), packed.ids, "{padding:?}");
            assert!(rest.concat().iter().all(|id| *id == pad_id), "{padding:?}");
        }
    }
}

#[test]
fn in_row_order_restores_the_order_for_any_batches() {
    let encoded = encoded(203, 7);
    let expected: Vec<_> = (0..203).map(|row| encoded.ids(row)).collect();
    let samplings = [
        evaluation_batches(&encoded.lengths(), BatchBudget::Tokens(200)),
        evaluation_batches(&encoded.lengths(), BatchBudget::Examples(8)),
        evaluation_batches(&encoded.padded_lengths(Padding::MultipleOf(16)), BatchBudget::Tokens(200)),
        training_batches(&encoded.lengths(), 8, SamplingStrategy::Random, 3, 0),
    ];
    for batches in samplings {
        let results = batches.iter().flat_map(|rows| {
            let batch = encoded.batch(rows, Padding::Longest);
            let sequences: Vec<_> = batch.ids.chunks(batch.padded_to.unwrap()).map(<[u32]>::to_vec).collect();
            let tokens = sequences.into_iter().zip(batch.lengths).map(|(ids, length)| ids[..length].to_vec());
            batch.rows.into_iter().zip(tokens.collect::<Vec<_>>())
        });
        assert_eq!(in_row_order(results), expected);
    }
}

#[test]
fn truncated_texts_have_max_length_and_special_tokens() {
    let (tokenizer, texts) = (tokenizer(), texts(120, 8));
    let [cls, sep] = ["[CLS]", "[SEP]"].map(|token| tokenizer.token_to_id(token).unwrap());
    for max_length in [3, 5, 16, 48, 512] {
        let both = Truncation::HeadTail { head: 1, tail: max_length - 3 };
        for truncation in [Truncation::Right, Truncation::Left, both] {
            let encoded = tokenizer.encode_all(&texts, limit(max_length, truncation), &|_| ());
            for (row, full_length) in encoded.full_lengths().iter().enumerate() {
                let ids = encoded.ids(row);
                assert_eq!(ids.len(), max_length.min(*full_length), "{truncation} {max_length}");
                assert_eq!((ids.first(), ids.last()), (Some(&cls), Some(&sep)));
            }
        }
    }
}

#[test]
fn encode_all_equals_encode_and_progress_adds_up() {
    let (tokenizer, texts, limit) = (tokenizer(), texts(1000, 9), limit(32, Truncation::Left));
    let done = AtomicUsize::new(0);
    let encoded = tokenizer.encode_all(&texts, limit, &|texts| {
        done.fetch_add(texts, Ordering::Relaxed);
    });
    assert_eq!((encoded.len(), done.into_inner()), (1000, 1000));
    for (row, text) in texts.iter().enumerate() {
        assert_eq!(encoded.ids(row), tokenizer.encode(text, limit), "{text:?}");
    }
}

fn assert_complete(batches: &[Vec<usize>], count: usize) {
    assert!(batches.iter().all(|batch| !batch.is_empty()));
    let mut rows = batches.concat();
    rows.sort_unstable();
    assert_eq!(rows, (0..count).collect::<Vec<_>>());
}
