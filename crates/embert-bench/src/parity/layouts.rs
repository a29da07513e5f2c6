//! Padded and packed batches, with dropout, give the same results.

use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, SequenceLayout};
use embert_model::ForwardContext;

use super::models::BERT;
use super::reference::{difference, values};
use super::{CheckResult, Context};
use crate::device;

/// Padded length: more than the model has positions, as possible on a GPU.
const PADDED_TO: usize = 64;

/// Returns a pass with the dropout of a training step.
fn pass_with_dropout() -> ForwardContext {
    let dropout = Some(DropoutStream { seed: 1, step: 2, first_sequence: 3 });
    ForwardContext { dropout, ..ForwardContext::default() }
}

pub(super) fn logits(context: &Context) -> CheckResult {
    let model = context.model(BERT, &context.device);
    let [packed, padded] = context
        .packed_and_padded(&context.device)
        .map(|(ids, layout)| values(model.forward(ids, &layout, pass_with_dropout())));
    CheckResult::Difference(difference(&padded, &packed))
}

pub(super) fn gradients(context: &Context) -> CheckResult {
    let model = context.model(BERT, &context.device.clone().autodiff());
    let labels = context.reference(BERT).integers("labels");
    let [packed, padded] = context.packed_and_padded(&context.device).map(|(ids, layout)| {
        super::gradients::gradients(&model, model.forward(ids, &layout, pass_with_dropout()), &labels)
    });
    let differences = packed.iter().map(|(name, gradient)| difference(&padded[name], gradient));
    CheckResult::Difference(differences.fold(0.0, f64::max))
}

/// Every backend computes the same dropout mask from the hash.
pub(super) fn dropout_masks(context: &Context) -> CheckResult {
    let Some(cpu) = device::cpu() else {
        return CheckResult::Skipped("built without the CPU backend".to_owned());
    };
    let layout = context.reference(BERT).layout();
    let site = pass_with_dropout().dropout.expect("the pass has dropout").site(5, 1, 0.25);
    let [found, expected] = [&context.device, &cpu].map(|device| {
        let ones = Tensor::<2>::ones([layout.lengths.iter().sum::<usize>(), 24], device);
        values(embert_kernels::dropout(ones, Some(&layout), Some(site)))
    });
    CheckResult::Difference(difference(&found, &expected))
}

impl Context {
    /// Returns the fixture's batch, packed and padded.
    fn packed_and_padded(&self, device: &Device) -> [(Tensor<1, Int>, SequenceLayout); 2] {
        let reference = self.reference(BERT);
        let (lengths, ids) = (reference.lengths(), reference.integers("input_ids"));
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
        [
            (reference.input_ids(device), reference.layout()),
            (padded, SequenceLayout::padded(lengths, PADDED_TO)),
        ]
    }
}
