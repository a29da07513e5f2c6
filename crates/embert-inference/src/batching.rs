//! Batching of texts for evaluation and prediction.

use burn::tensor::{Device, FloatDType};
use embert_kernels::{Precision, is_asynchronous};
use embert_text::{BatchBudget, EncodedTexts, Padding, evaluation_batches};

/// The texts of maximal length in a batch, as transformers' `per_device_eval_batch_size`; more if they are shorter.
const BATCH_SIZE: usize = 8;

/// How texts are put into batches where no weight changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Batching {
    /// The size of a batch; not 0.
    pub budget: BatchBudget,
    /// The padding of shorter texts.
    pub padding: Padding,
    /// The precision of matrix products.
    pub precision: Precision,
}

impl Batching {
    /// Returns batches of at most 8 · `max_length` tokens, in the layout that the device computes fastest.
    pub fn new(max_length: usize, precision: Precision, device: &Device) -> Self {
        Self { budget: BatchBudget::Tokens(BATCH_SIZE * max_length), padding: padding_for(device), precision }
    }

    /// Returns the rows of each batch. Lengths count with their padding, so few shapes occur.
    pub fn batches(&self, texts: &EncodedTexts) -> Vec<Vec<usize>> {
        evaluation_batches(&texts.padded_lengths(self.padding), self.budget)
    }
}

/// Returns the padding that a device computes fastest: none on the CPU, multiples of 64 tokens on a GPU, which tunes its
/// kernels once for each shape.
pub fn padding_for(device: &Device) -> Padding {
    if is_asynchronous(device) { Padding::MultipleOf(64) } else { Padding::Packed }
}

/// Returns true if a device computes in this precision. A CPU without bf16 instructions computes bf16 in fp32.
pub fn supports(device: &Device, precision: Precision) -> bool {
    let is_cpu = !is_asynchronous(device);
    match precision {
        Precision::Fp32 => true,
        Precision::Bf16 => is_cpu || device.supports_dtype(FloatDType::BF16),
        Precision::Fp16 => !is_cpu && device.supports_dtype(FloatDType::F16),
    }
}
