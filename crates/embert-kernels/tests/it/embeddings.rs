//! Embeddings of single texts and pairs, packed and padded, against the reference in double precision.

use burn::tensor::{DType, Device, Int, Tensor};
use embert_kernels::{SequenceLayout, embeddings, reference};

use crate::compare::{FP32, assert_close, run};

#[test]
fn embeddings_match_the_reference() {
    let [word, position, token_type] = [[1500, 33], [73, 33], [2, 33]];
    let lengths = vec![70, 1, 40];
    let (packed, padded) = (SequenceLayout::packed(lengths.clone()), SequenceLayout::padded(lengths, 70));
    let pairs = [&packed, &padded].map(|layout| layout.clone().with_first_segments(vec![31, 1, 0]));
    for layout in [packed, padded].into_iter().chain(pairs) {
        for first_position in [0, 3] {
            check_embeddings(
                &layout,
                first_position,
                [word, position, token_type],
                |[word, position, types]| (word, position, Some(types)),
            );
            check_embeddings(&layout, first_position, [word, position], |[word, position]| {
                (word, position, None)
            });
        }
    }
}

#[test]
fn a_token_has_the_embedding_of_its_type() {
    let device = Device::flex();
    let zeros = |rows: usize| Tensor::<2>::zeros([rows, 2], &device);
    let token_type = Tensor::from_data([[1.0, 2.0], [30.0, 40.0]], &device);
    let of = |layout: SequenceLayout| {
        let ids = Tensor::<1, Int>::zeros([layout.num_tokens()], &device);
        let y = embeddings(ids, &layout, zeros(5), Some(zeros(5)), 0, Some(token_type.clone()));
        y.slice([0..layout.num_tokens(), 0..1]).into_data().try_to_vec::<f32>().unwrap()
    };
    let packed = SequenceLayout::packed(vec![3, 2]);
    assert_eq!(of(packed.clone()), [1.0; 5]);
    assert_eq!(of(packed.with_first_segments(vec![1, 2])), [1.0, 30.0, 30.0, 1.0, 1.0]);
    let padded = SequenceLayout::padded(vec![2, 1], 3).with_first_segments(vec![1, 0]);
    assert_eq!(of(padded), [1.0, 30.0, 1.0, 30.0, 1.0, 1.0]); // padding has type 0
}

#[test]
fn the_first_token_has_the_first_position() {
    let device = Device::flex();
    let position = Tensor::from_data([[1.0], [2.0], [3.0], [4.0]], &device);
    let zeros = Tensor::<2>::zeros([5, 1], &device);
    let of = |layout: SequenceLayout, first_position: usize| {
        let ids = Tensor::<1, Int>::zeros([layout.num_tokens()], &device);
        let y = embeddings(ids, &layout, zeros.clone(), Some(position.clone()), first_position, None);
        y.into_data().try_to_vec::<f32>().unwrap()
    };
    assert_eq!(of(SequenceLayout::packed(vec![2, 1]), 0), [1.0, 2.0, 1.0]);
    assert_eq!(of(SequenceLayout::packed(vec![2, 1]), 2), [3.0, 4.0, 3.0]);
    assert_eq!(of(SequenceLayout::padded(vec![2, 1], 2), 2), [3.0, 4.0, 3.0, 3.0]);
}

#[test]
fn embeddings_without_positions_are_those_of_words_and_types() {
    let ids = || Tensor::<1, Int>::from_data([4, 0, 4, 1], &Device::flex());
    for layout in [SequenceLayout::packed(vec![3, 1]), SequenceLayout::padded(vec![2, 1], 2)] {
        let got = run([[5, 3]], DType::F32, |[word]| embeddings(ids(), &layout, word, None, 0, None));
        let expected = run([[5, 3]], DType::F32, |[word]| word.select(0, ids()));
        assert_eq!(got, expected);
        let pairs = layout.with_first_segments(vec![1, 1]);
        let got = run([[5, 3], [2, 3]], DType::F32, |[word, token_type]| {
            embeddings(ids(), &pairs, word, None, 0, Some(token_type))
        });
        let expected = run([[5, 3], [2, 3]], DType::F32, |[word, token_type]| {
            let types =
                Tensor::<1, Int>::from_data([0, 1, pairs.padded_to.map_or(1, |_| 0), 0], &Device::flex());
            word.select(0, ids()) + token_type.select(0, types)
        });
        assert_close(&got, &expected, FP32, &format!("{pairs:?}"));
    }
}

#[test]
#[should_panic(expected = "pairs need two token types, but the model has one")]
fn pairs_need_two_token_types() {
    let (device, layout) = (Device::flex(), SequenceLayout::packed(vec![2]).with_first_segments(vec![1]));
    let table = Tensor::<2>::zeros([1, 2], &device);
    let ids = Tensor::<1, Int>::zeros([2], &device);
    let zeros = || Tensor::zeros([5, 2], &device);
    embeddings(ids, &layout, zeros(), Some(zeros()), 0, Some(table));
}

type Tables = (Tensor<2>, Tensor<2>, Option<Tensor<2>>);

/// Compares the output and the gradients of the CPU implementation with the reference in double precision.
fn check_embeddings<const N: usize>(
    layout: &SequenceLayout,
    first_position: usize,
    shapes: [[usize; 2]; N],
    tables: impl Fn([Tensor<2>; N]) -> Tables,
) {
    let ids = (0..layout.num_tokens() as i32).map(|i| (i * i * 7) % 1500).collect::<Vec<i32>>();
    let sum = |fast: bool, (word, position, token_type): Tables| {
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &word.device());
        if fast {
            embeddings(ids, layout, word, Some(position), first_position, token_type)
        } else {
            reference::embeddings(ids, layout, word, position, first_position, token_type)
        }
    };
    let expected = run(shapes, DType::F64, |inputs| sum(false, tables(inputs)));
    let got = run(shapes, DType::F32, |inputs| sum(true, tables(inputs)));
    assert_close(
        &got,
        &expected,
        FP32,
        &format!("embeddings from {N} tables, position {first_position}, {layout:?}"),
    );
}
