//! FNV-1a hashes of the data and the frozen weights, to detect changes on resume.

use burn::module::Param;
use burn::tensor::Tensor;
use embert_kernels::{FNV_OFFSET, fnv1a};
use embert_model::{Parameter, ParameterVisitor, values_in_pieces, visit_parameters};
use serde::{Deserialize, Serialize};

use crate::batches::LabelledTexts;
use crate::model::Model;

/// The fingerprints of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprints {
    /// The hash of all training and evaluation tokens and targets, in their order.
    pub(crate) data: u64,
    /// The hash of the weights that are not in checkpoints: the base model of an adapter.
    pub(crate) frozen_weights: u64,
}

impl Fingerprints {
    /// Computes the fingerprints. Reads the frozen weights, so it waits for the device.
    pub(crate) fn of<'a>(sets: impl Iterator<Item = LabelledTexts<'a>>, model: &Model) -> Self {
        let mut frozen = FrozenWeights { hash: FNV_OFFSET };
        visit_parameters(model, &mut frozen);
        Self { data: of_texts(sets), frozen_weights: frozen.hash }
    }
}

fn of_texts<'a>(sets: impl Iterator<Item = LabelledTexts<'a>>) -> u64 {
    let mut hash = FNV_OFFSET;
    let mut add = |number: u64| hash = fnv1a(hash, number);
    for LabelledTexts { texts, targets } in sets {
        add(texts.len() as u64);
        for row in 0..texts.len() {
            let ids = texts.ids(row);
            add(ids.len() as u64);
            texts.first_segment_length(row).into_iter().for_each(|length| add(length as u64));
            targets.bits(row).into_iter().for_each(&mut add);
            ids.into_iter().for_each(|id| add(id.into()));
        }
    }
    hash
}

struct FrozenWeights {
    hash: u64,
}

impl ParameterVisitor for FrozenWeights {
    fn visit<const D: usize>(&mut self, _parameter: Parameter, param: &Param<Tensor<D>>) {
        let values = param.val();
        if !values.is_require_grad() {
            let pieces = values_in_pieces(values.flatten(0, D - 1));
            self.hash = pieces.flatten().fold(self.hash, |hash, value| fnv1a(hash, value.to_bits().into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use embert_text::{EncodedTexts, Limit, Tokenizer, Truncation};

    use super::*;
    use crate::targets::Targets;

    #[test]
    fn a_pair_and_a_text_with_the_same_tokens_have_different_fingerprints() {
        let tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"];
        let tokenizer = Tokenizer::from_vocab(&tokens).unwrap();
        let limit = Limit::new(8, Truncation::Right, 8).unwrap();
        let pairs = |first, second| tokenizer.encode_all_pairs(&[first], &[second], limit, &|_| ()).unwrap();
        let single = tokenizer.encode_all(&["a [SEP] b [SEP] a"], limit, &|_| ());
        let found = [single, pairs("a", "b [SEP] a"), pairs("a [SEP] b", "a")];
        assert!(found.iter().all(|texts: &EncodedTexts| texts.ids(0) == found[0].ids(0)));
        let hashes = found
            .each_ref()
            .map(|texts| of_texts([LabelledTexts { texts, targets: &Targets::Labels(vec![1]) }].into_iter()));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2], "{hashes:?}");
    }
}
