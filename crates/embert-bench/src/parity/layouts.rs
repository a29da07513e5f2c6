//! Where tokens lie changes nothing: padded as on GPUs, or packed as on CPUs, with dropout.

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, SequenceLayout};
use embert_model::ForwardContext;

use super::models::BERT;
use super::reference::{difference, values};
use super::{Answer, Bench};
use crate::device;

/// Rows of each sequence when it is padded: more than the model has positions, as it may be on a GPU.
const PADDED_TO: usize = 64;

/// Dropout as in a step of training.
fn dropping() -> ForwardContext {
    let dropout = Some(DropoutStream { seed: 1, step: 2, first_sequence: 3 });
    ForwardContext { dropout, ..ForwardContext::default() }
}

pub(super) fn logits(bench: &Bench) -> Answer {
    let model = bench.model(BERT, &bench.device);
    let [packed, padded] =
        bench.both(&bench.device).map(|(ids, layout)| values(model.forward(ids, &layout, dropping())));
    Answer::Difference(difference(&padded, &packed))
}

pub(super) fn gradients(bench: &Bench) -> Answer {
    let model = bench.model(BERT, &bench.device.clone().autodiff());
    let labels = bench.figures(BERT).integers("labels");
    let [packed, padded] = bench.both(&bench.device).map(|(ids, layout)| {
        super::gradients::gradients(&model, model.forward(ids, &layout, dropping()), &labels)
    });
    let off = packed.iter().map(|(name, gradient)| difference(&padded[name], gradient));
    Answer::Difference(off.fold(0.0, f64::max))
}

/// The hash that says what is dropped gives the same bits on every backend.
pub(super) fn dropout_masks(bench: &Bench) -> Answer {
    let Some(cpu) = device::cpu() else {
        return Answer::Skipped("built without the CPU's backend".to_owned());
    };
    let layout = bench.figures(BERT).layout();
    let site = dropping().dropout.expect("it drops").site(5, 1, 0.25);
    let [found, expected] = [&bench.device, &cpu].map(|device| {
        let ones = Tensor::<2>::ones([layout.lengths.iter().sum::<usize>(), 24], device);
        values(embert_kernels::dropout(ones, Some(&layout), Some(site)))
    });
    Answer::Difference(difference(&found, &expected))
}

impl Bench {
    /// The batch of the fixtures, packed and padded.
    fn both(&self, device: &Device) -> [(Tensor<1, Int>, SequenceLayout); 2] {
        let figures = self.figures(BERT);
        let (lengths, ids) = (figures.lengths(), figures.integers("input_ids"));
        let mut padded = Vec::with_capacity(lengths.len() * PADDED_TO);
        let mut rest = ids.as_slice();
        for &length in &lengths {
            let (sequence, after) = rest.split_at(length);
            padded.extend(sequence.iter().map(|&id| id as i32));
            padded.resize(padded.len().next_multiple_of(PADDED_TO), 0);
            rest = after;
        }
        let shape = [padded.len()];
        let padded = Tensor::from_data(TensorData::new(padded, shape), (device, burn::tensor::DType::I32));
        [(figures.input_ids(device), figures.layout()), (padded, SequenceLayout::padded(lengths, PADDED_TO))]
    }
}
