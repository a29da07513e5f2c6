//! Products on operands of half the bits, beside those of fp32.

use std::collections::BTreeMap;

use burn::tensor::DType;
use embert_kernels::{Precision, is_asynchronous};
use embert_model::ForwardContext;

use super::models::BERT;
use super::reference::{difference, values};
use super::{Answer, Bench};

/// Gradients that are smaller all over are not compared: fp16 loses them, which scaling the loss is for.
const SMALLEST: f32 = 1e-3;

pub(super) fn bf16_logits(bench: &Bench) -> Answer {
    lacks_bf16(bench).unwrap_or_else(|| logits(bench, Precision::Bf16))
}

pub(super) fn bf16_gradients(bench: &Bench) -> Answer {
    lacks_bf16(bench).unwrap_or_else(|| gradients(bench, Precision::Bf16))
}

pub(super) fn fp16_logits(bench: &Bench) -> Answer {
    lacks_fp16(bench).unwrap_or_else(|| logits(bench, Precision::Fp16))
}

pub(super) fn fp16_gradients(bench: &Bench) -> Answer {
    lacks_fp16(bench).unwrap_or_else(|| gradients(bench, Precision::Fp16))
}

fn lacks_bf16(bench: &Bench) -> Option<Answer> {
    (!bench.device.supports_dtype(DType::BF16)).then(|| Answer::Skipped("the device has no bf16".to_owned()))
}

fn lacks_fp16(bench: &Bench) -> Option<Answer> {
    let has_it = is_asynchronous(&bench.device) && bench.device.supports_dtype(DType::F16);
    (!has_it).then(|| Answer::Skipped("the device computes no products in fp16".to_owned()))
}

fn logits(bench: &Bench, precision: Precision) -> Answer {
    let model = bench.model(BERT, &bench.device);
    let [half, full] = [precision, Precision::Fp32].map(|precision| {
        values(bench.logits(&model, ForwardContext { precision, ..ForwardContext::default() }))
    });
    Answer::Difference(difference(&half, &full))
}

/// Of each parameter, relative to the largest of its gradient.
fn gradients(bench: &Bench, precision: Precision) -> Answer {
    let [half, full] = [precision, Precision::Fp32].map(|precision| all_gradients(bench, precision));
    let off = full.iter().filter_map(|(name, full)| {
        let largest = full.iter().fold(0.0, |largest: f32, g| largest.max(g.abs()));
        let part = |gradient: &[f32]| gradient.iter().map(|g| g / largest).collect::<Vec<_>>();
        (largest >= SMALLEST).then(|| difference(&part(&half[name]), &part(full)))
    });
    Answer::Difference(off.fold(0.0, f64::max))
}

fn all_gradients(bench: &Bench, precision: Precision) -> BTreeMap<String, Vec<f32>> {
    let model = bench.model(BERT, &bench.device.clone().autodiff());
    let logits = bench.logits(&model, ForwardContext { precision, ..ForwardContext::default() });
    super::gradients::gradients(&model, logits, &bench.figures(BERT).integers("labels"))
}
