//! The operations of embert-kernels with heads and lengths that the tiny models lack, compared with their references in
//! fp32 on the CPU.

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{
    AttentionOptions, DropoutSite, DropoutStream, Precision, SequenceLayout, attention, mix64, reference,
};

use super::precision::lacks;
use super::reference::{difference, values};
use super::{CheckResult, Context};
use crate::device;

const NUM_HEADS: usize = 2;
/// The widths of heads of BERT's families.
const WIDTHS: [usize; 4] = [32, 64, 96, 128];
/// Shorter than a tile of the kernels, and longer.
const LENGTHS: [usize; 3] = [5, 70, 131];
/// The width of ModernBERT's heads, and a window that is shorter than the longest sequence.
const WINDOWED: (usize, usize) = (64, 40);
const PADDED_TO: usize = 192;

pub(super) fn attention_fp32(context: &Context) -> CheckResult {
    attention_in(context, Precision::Fp32)
}

pub(super) fn attention_bf16(context: &Context) -> CheckResult {
    lacks(context, Precision::Bf16).unwrap_or_else(|| attention_in(context, Precision::Bf16))
}

pub(super) fn attention_fp16(context: &Context) -> CheckResult {
    lacks(context, Precision::Fp16).unwrap_or_else(|| attention_in(context, Precision::Fp16))
}

/// Compares outputs and gradients of all widths, packed with dropout and padded without, and in a window.
fn attention_in(context: &Context, precision: Precision) -> CheckResult {
    let stream = DropoutStream { seed: 1, step: 2, first_sequence: 3 };
    let cases = [
        (SequenceLayout::packed(LENGTHS.into()), Some(stream.site(1, 0, 0.25))),
        (SequenceLayout::padded(LENGTHS.into(), PADDED_TO), None),
    ];
    let cpu = device::cpu().unwrap_or_else(|| context.device.clone());
    let mut largest = 0.0f64;
    let all_keys = WIDTHS.map(|width| (width, None));
    for (width, window) in all_keys.into_iter().chain([(WINDOWED.0, Some(WINDOWED.1))]) {
        for (layout, site) in &cases {
            let attend = |device: &Device, attention: Attention, precision| {
                Case { layout, site: *site, width, window, precision }.run(device, attention)
            };
            let found = attend(&context.device, attention, precision);
            let expected = attend(&cpu, reference::attention, Precision::Fp32);
            largest = largest.max(difference(&found, &expected));
        }
    }
    CheckResult::Difference(largest)
}

type Attention = fn(Tensor<2>, Option<Tensor<2>>, &SequenceLayout, AttentionOptions) -> Tensor<2>;

struct Case<'a> {
    layout: &'a SequenceLayout,
    site: Option<DropoutSite>,
    width: usize,
    window: Option<usize>,
    precision: Precision,
}

impl Case<'_> {
    /// Returns the output, without padding rows, and the gradient of the input.
    fn run(&self, device: &Device, attention: Attention) -> Vec<f32> {
        let (rows, hidden) = (self.layout.num_tokens(), NUM_HEADS * self.width);
        let device = device.clone().autodiff();
        let x = random([rows, 3 * hidden], 1, &device).require_grad();
        let output = attention(x.clone(), None, self.layout, self.options());
        let output = output * self.token_rows(&device); // [rows, hidden]
        let gradients = (output.clone() * random([rows, hidden], 2, &device)).sum().backward();
        let gradient = x.grad(&gradients).expect("the input requires a gradient");
        [values(output.inner()), values(gradient)].concat()
    }

    fn options(&self) -> AttentionOptions {
        let (window, dropout, precision) = (self.window, self.site, self.precision);
        AttentionOptions { num_heads: NUM_HEADS, window, dropout, precision }
    }

    /// Returns 1 for rows of tokens and 0 for padding, `[rows, 1]`.
    fn token_rows(&self, device: &Device) -> Tensor<2> {
        let sequences = self.layout.lengths.iter();
        let rows = |&length: &usize| self.layout.padded_to.unwrap_or(length);
        let flags = sequences.flat_map(|length| (0..rows(length)).map(move |row| f32::from(row < *length)));
        Tensor::from_data(TensorData::new(flags.collect::<Vec<_>>(), [self.layout.num_tokens(), 1]), device)
    }
}

/// Returns numbers in −1..1 that depend on the seed only.
fn random(shape: [usize; 2], seed: u64, device: &Device) -> Tensor<2> {
    let number = |i| (mix64(seed << 32 | i) >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let numbers = (0..(shape[0] * shape[1]) as u64).map(number).collect::<Vec<_>>();
    Tensor::from_data(TensorData::new(numbers, shape), device)
}
