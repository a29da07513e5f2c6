//! Embeddings on GPUs, for single texts and pairs, packed and padded. Many tokens have the same id.

use burn::tensor::{Int, Tensor};
use embert_kernels::{SequenceLayout, embeddings, reference};

use super::{check, gpu, zero_padding};

/// Returns ids below `vocab_size`. Small ids are frequent, as in texts.
fn ids(num_tokens: usize, vocab_size: u64) -> Vec<i32> {
    let draw = |i| embert_kernels::mix64(i) % vocab_size;
    (0..num_tokens as u64).map(|i| draw(i).min(draw(i + 1_000_000)).min(draw(i + 2_000_000)) as i32).collect()
}

fn check_embeddings<const N: usize>(
    layout: &SequenceLayout,
    tables: [usize; N],
    hidden: usize,
    first_position: usize,
) {
    let ids = ids(layout.num_tokens(), tables[0] as u64);
    let ids = |like: &Tensor<2>| Tensor::<1, Int>::from_data(ids.as_slice(), &like.device());
    let without_padding = |y| zero_padding(y, layout);
    check(
        &format!("embeddings from {N} tables, {hidden} columns, {layout:?}"),
        tables.map(|rows| [rows, hidden]),
        |tables| {
            let [word, position] = [0, 1].map(|table| tables[table].clone());
            let (ids, token_type) = (ids(&word), tables.get(2).cloned());
            without_padding(embeddings(ids, layout, word, Some(position), first_position, token_type))
        },
        |tables| {
            let [word, position] = [0, 1].map(|table| tables[table].clone());
            let (ids, token_type) = (ids(&word), tables.get(2).cloned());
            without_padding(reference::embeddings(ids, layout, word, position, first_position, token_type))
        },
    );
}

#[test]
fn embeddings_match_the_reference() {
    let lengths = vec![70, 1, 40];
    let (packed, padded) = (SequenceLayout::packed(lengths.clone()), SequenceLayout::padded(lengths, 75));
    for layout in [packed, padded] {
        let pairs = layout.clone().with_first_segments(vec![31, 1, 0]);
        check_embeddings(&layout, [60, 80, 2], 36, 0);
        check_embeddings(&layout, [60, 80, 1], 7, 5);
        check_embeddings(&pairs, [60, 80, 2], 130, 0);
        check_embeddings(&pairs, [5, 80, 3], 4, 0);
        check_embeddings(&pairs, [5, 80], 36, 2); // the model has no token types
    }
}

/// More tokens than one tile of the sort, and ids with many tokens.
#[test]
fn embeddings_of_many_tokens_match_the_reference() {
    let lengths = (0..40).map(|i| 20 + i).collect::<Vec<_>>();
    check_embeddings(&SequenceLayout::packed(lengths.clone()), [7, 64, 2], 12, 0);
    check_embeddings(&SequenceLayout::padded(lengths, 64), [700, 64, 2], 12, 0);
}

/// The gradients of the other tables are the same as without frozen tables.
#[test]
fn frozen_tables_get_no_gradient() {
    let Some(gpu) = gpu() else { return };
    let (device, layout) = (gpu.autodiff(), SequenceLayout::packed(vec![9, 4]));
    let gradients = |frozen: [bool; 3]| {
        let table = |index: usize, rows| {
            let table = Tensor::<2>::ones([rows, 8], &device);
            if frozen[index] { table } else { table.require_grad() }
        };
        let tables = [table(0, 20), table(1, 10), table(2, 2)];
        let [word, position, token_type] = tables.clone();
        let ids = Tensor::<1, Int>::from_data(ids(13, 20).as_slice(), &device);
        let y = embeddings(ids, &layout, word, Some(position), 0, Some(token_type));
        let gradients = y.powi_scalar(2).sum().backward();
        tables.map(|table| table.grad(&gradients).map(|gradient| gradient.into_data()))
    };
    let all = gradients([false; 3]);
    assert!(all.iter().all(Option::is_some));
    for trained in 0..3 {
        let found = gradients([0, 1, 2].map(|table| table != trained));
        for (table, (found, all)) in found.iter().zip(&all).enumerate() {
            assert_eq!(found.as_ref(), all.as_ref().filter(|_| table == trained));
        }
    }
}
