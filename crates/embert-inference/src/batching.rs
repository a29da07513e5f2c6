//! Batching of texts for evaluation and prediction.

use burn::tensor::{Device, FloatDType};
use embert_kernels::{Precision, is_asynchronous, supports_bf16};
use embert_text::{BatchBudget, EncodedTexts, Padding, evaluation_batches};

/// Number of texts of maximum length in a batch, as in `per_device_eval_batch_size` of transformers.
const BATCH_SIZE: usize = 8;

/// Batching for evaluation and prediction: batch size, padding and precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batching {
    /// The maximum size of a batch; must not be 0.
    pub budget: BatchBudget,
    /// The padding of shorter texts.
    pub padding: Padding,
    /// The precision of matrix products.
    pub precision: Precision,
}

impl Batching {
    /// Returns the default for a device: batches of at most 8 · `max_length` tokens, and the padding of
    /// [`padding_for`].
    pub fn new(max_length: usize, precision: Precision, device: &Device) -> Self {
        Self { budget: BatchBudget::Tokens(BATCH_SIZE * max_length), padding: padding_for(device), precision }
    }

    /// Returns the row numbers of each batch. Lengths include padding, so few shapes occur.
    pub fn batches(&self, texts: &EncodedTexts) -> Vec<Vec<usize>> {
        evaluation_batches(&texts.padded_lengths(self.padding), self.budget)
    }
}

/// Returns the fastest padding for a device: none on the CPU, multiples of 64 tokens on a GPU.
///
/// A GPU backend compiles and tunes its kernels for each shape, so fewer shapes are faster.
pub fn padding_for(device: &Device) -> Padding {
    if is_asynchronous(device) { Padding::MultipleOf(64) } else { Padding::Packed }
}

/// Returns true if a device supports a precision. A CPU without bf16 instructions computes bf16 in fp32.
pub fn supports_precision(device: &Device, precision: Precision) -> bool {
    let is_cpu = !is_asynchronous(device);
    match precision {
        Precision::Fp32 | Precision::Tf32 => true,
        Precision::Bf16 => is_cpu || supports_bf16(device),
        Precision::Fp16 => !is_cpu && device.supports_dtype(FloatDType::F16),
    }
}
