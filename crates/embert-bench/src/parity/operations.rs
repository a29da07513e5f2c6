//! The operations of embert-kernels with heads and lengths that the tiny models lack, compared with their references in
//! fp32 on the CPU.

use burn::tensor::{Device, Tensor, TensorData};
use embert_kernels::{
    AttentionOptions, DropoutSite, DropoutStream, Precision, SequenceLayout, attention,
    first_token_attention, first_tokens, mix64, reference,
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
/// The width of MPNet's heads, whose attention has a bias.
const BIASED: usize = 64;
const PADDED_TO: usize = 192;

pub(super) fn attention_fp32(context: &Context) -> CheckResult {
    attention_in(context, Precision::Fp32)
}

pub(super) fn attention_tf32(context: &Context) -> CheckResult {
    attention_in(context, Precision::Tf32)
}

pub(super) fn attention_bf16(context: &Context) -> CheckResult {
    lacks(context, Precision::Bf16).unwrap_or_else(|| attention_in(context, Precision::Bf16))
}

pub(super) fn attention_fp16(context: &Context) -> CheckResult {
    lacks(context, Precision::Fp16).unwrap_or_else(|| attention_in(context, Precision::Fp16))
}

/// Compares outputs and gradients of all widths, packed with dropout and padded without, in a window, and with a bias.
fn attention_in(context: &Context, precision: Precision) -> CheckResult {
    let stream = DropoutStream { seed: 1, step: 2, first_sequence: 3 };
    let layouts = [
        (SequenceLayout::packed(LENGTHS.into()), Some(stream.site(1, 0, 0.25))),
        (SequenceLayout::padded(LENGTHS.into(), PADDED_TO), None),
    ];
    let cpu = device::cpu().unwrap_or_else(|| context.device.clone());
    let mut largest = 0.0f64;
    for (layout, site) in &layouts {
        let case = |width| Case { layout, site: *site, width, window: None, has_bias: false, precision };
        let windowed = Case { window: Some(WINDOWED.1), ..case(WINDOWED.0) };
        let biased = Case { has_bias: true, ..case(BIASED) };
        for case in WIDTHS.map(case).into_iter().chain([windowed, biased]) {
            let exact = Case { precision: Precision::Fp32, ..case };
            for tokens in [Tokens::All, Tokens::First] {
                let found = case.run(&context.device, &KERNELS, tokens);
                let expected = exact.run(&cpu, &REFERENCES, tokens);
                largest = largest.max(difference(&found, &expected));
            }
        }
    }
    CheckResult::Difference(largest)
}

/// The tokens whose queries are computed.
#[derive(Clone, Copy)]
enum Tokens {
    All,
    First,
}

struct Operations {
    attention: fn(Tensor<2>, Option<Tensor<2>>, &SequenceLayout, AttentionOptions) -> Tensor<2>,
    first_token_attention:
        fn(Tensor<2>, Tensor<2>, Option<Tensor<2>>, &SequenceLayout, AttentionOptions) -> Tensor<2>,
}

const KERNELS: Operations = Operations { attention, first_token_attention };
const REFERENCES: Operations =
    Operations { attention: reference::attention, first_token_attention: reference::first_token_attention };

#[derive(Clone, Copy)]
struct Case<'a> {
    layout: &'a SequenceLayout,
    site: Option<DropoutSite>,
    width: usize,
    window: Option<usize>,
    has_bias: bool,
    precision: Precision,
}

impl Case<'_> {
    /// Returns the output, without padding rows, and the gradients of the input and of the bias.
    fn run(&self, device: &Device, operations: &Operations, tokens: Tokens) -> Vec<f32> {
        let (rows, hidden) = (self.layout.num_tokens(), NUM_HEADS * self.width);
        let device = device.clone().autodiff();
        let x = random([rows, 3 * hidden], 1, &device).require_grad();
        let distances = 2 * self.layout.longest() - 1;
        let bias = self.has_bias.then(|| random([distances, NUM_HEADS], 3, &device).require_grad());
        let output = match tokens {
            Tokens::All => {
                let output = (operations.attention)(x.clone(), bias.clone(), self.layout, self.options());
                output * self.token_rows(&device) // [rows, hidden]
            }
            Tokens::First => {
                let [query, key_value] = [(0, hidden), (hidden, 2 * hidden)]
                    .map(|(column, columns)| x.clone().narrow(1, column, columns));
                let query = first_tokens(query, self.layout); // [batch, hidden]
                (operations.first_token_attention)(
                    query,
                    key_value,
                    bias.clone(),
                    self.layout,
                    self.options(),
                )
            }
        };
        let gradients = (output.clone() * random(output.dims(), 2, &device)).sum().backward();
        let gradient = |x: &Tensor<2>| values(x.grad(&gradients).expect("the inputs require a gradient"));
        [values(output.inner()), gradient(&x), bias.as_ref().map(gradient).unwrap_or_default()].concat()
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
