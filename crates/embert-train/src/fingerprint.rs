//! What a run that is taken up must find as it left it: FNV-1a over its texts and targets, and over its frozen weights.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_model::names::{ParameterVisitor, visit_parameters};
use serde::{Deserialize, Serialize};

use crate::batches::LabelledTexts;

/// Numbers that other data and other weights do not share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprints {
    /// Of the tokens and targets that the run learns from and is evaluated on, and of their order.
    pub(crate) data: u64,
    /// Of the weights that no checkpoint holds: those beside adapters.
    pub(crate) frozen_weights: u64,
}

impl Fingerprints {
    /// Reads the frozen weights back: synchronises.
    pub(crate) fn of<'a, M: Module>(sets: impl Iterator<Item = LabelledTexts<'a>>, model: &M) -> Self {
        let mut frozen = FrozenWeights(Fnv::new());
        visit_parameters(model, &mut frozen);
        Self { data: of_texts(sets), frozen_weights: frozen.0.0 }
    }
}

fn of_texts<'a>(sets: impl Iterator<Item = LabelledTexts<'a>>) -> u64 {
    let mut hash = Fnv::new();
    for LabelledTexts { texts, targets } in sets {
        hash.add(texts.len() as u64);
        for row in 0..texts.len() {
            let ids = texts.ids(row);
            hash.add(ids.len() as u64);
            targets.bits(row).for_each(|bits| hash.add(bits));
            ids.into_iter().for_each(|id| hash.add(id.into()));
        }
    }
    hash.0
}

struct FrozenWeights(Fnv);

impl ParameterVisitor for FrozenWeights {
    fn visit<const D: usize>(&mut self, _path: &str, param: &Param<Tensor<D>>) {
        let values = param.val();
        if !values.is_require_grad() {
            let values = values.into_data();
            let values = values.as_slice::<f32>().expect("parameters are fp32");
            values.iter().for_each(|value| self.0.add(value.to_bits().into()));
        }
    }
}

struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x0000_0100_0000_01b3);
    }
}
