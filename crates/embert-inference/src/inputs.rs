//! Conversion of a token batch to model inputs.

use burn::module::Module;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use embert_kernels::SequenceLayout;
use embert_text::TokenBatch;

/// Returns the token ids of a batch.
///
/// # Shapes
/// - output: `[num_tokens]`
pub fn input_ids(tokens: &TokenBatch, device: &Device) -> Tensor<1, Int> {
    let ids = tokens.ids.iter().map(|&id| id as i32).collect::<Vec<_>>();
    let num_tokens = ids.len();
    Tensor::from_data(TensorData::new(ids, [num_tokens]), (device, DType::I32))
}

/// Returns the lengths, the padding and the token types of the sequences in a batch.
pub fn sequence_layout(tokens: &TokenBatch) -> SequenceLayout {
    SequenceLayout {
        lengths: tokens.lengths.clone(),
        padded_to: tokens.padded_to,
        first_segment_lengths: tokens.first_segment_lengths.clone(),
    }
}

/// Returns the device of a model's parameters.
///
/// # Panics
/// If the model has no parameters.
pub fn device_of<M: Module>(model: &M) -> Device {
    model.devices().into_iter().next().expect("a model has parameters")
}
