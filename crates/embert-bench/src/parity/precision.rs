//! Matrix products in TF32, bf16 and fp16, compared with fp32.

use std::collections::BTreeMap;

use burn::tensor::DType;
use embert_kernels::{Precision, is_asynchronous};
use embert_model::ForwardContext;

use super::models::BERT;
use super::reference::{difference, values};
use super::{CheckResult, Context};

/// Gradients with only smaller values are skipped: fp16 loses them without loss scaling.
const MIN_GRADIENT: f32 = 1e-3;

pub(super) fn tf32_logits(context: &Context) -> CheckResult {
    logits(context, Precision::Tf32)
}

pub(super) fn tf32_gradients(context: &Context) -> CheckResult {
    gradients(context, Precision::Tf32)
}

pub(super) fn bf16_logits(context: &Context) -> CheckResult {
    lacks(context, Precision::Bf16).unwrap_or_else(|| logits(context, Precision::Bf16))
}

pub(super) fn bf16_gradients(context: &Context) -> CheckResult {
    lacks(context, Precision::Bf16).unwrap_or_else(|| gradients(context, Precision::Bf16))
}

pub(super) fn fp16_logits(context: &Context) -> CheckResult {
    lacks(context, Precision::Fp16).unwrap_or_else(|| logits(context, Precision::Fp16))
}

pub(super) fn fp16_gradients(context: &Context) -> CheckResult {
    lacks(context, Precision::Fp16).unwrap_or_else(|| gradients(context, Precision::Fp16))
}

/// Returns the result of a check of this precision on a device that does not have it.
pub(super) fn lacks(context: &Context, precision: Precision) -> Option<CheckResult> {
    let device = &context.device;
    let (supported, reason) = match precision {
        Precision::Fp32 | Precision::Tf32 => (true, ""),
        Precision::Bf16 => (device.supports_dtype(DType::BF16), "the device does not support bf16"),
        Precision::Fp16 => (
            is_asynchronous(device) && device.supports_dtype(DType::F16),
            "the device does not compute products in fp16",
        ),
    };
    (!supported).then(|| CheckResult::Skipped(reason.to_owned()))
}

fn logits(context: &Context, precision: Precision) -> CheckResult {
    let model = context.model(BERT, &context.device);
    let [half, full] = [precision, Precision::Fp32].map(|precision| {
        values(context.logits(&model, ForwardContext { precision, ..ForwardContext::default() }))
    });
    CheckResult::Difference(difference(&half, &full))
}

/// Compares the gradient of each parameter, relative to its largest value.
fn gradients(context: &Context, precision: Precision) -> CheckResult {
    let [half, full] = [precision, Precision::Fp32].map(|precision| all_gradients(context, precision));
    let differences = full.iter().filter_map(|(name, full)| {
        let largest = full.iter().fold(0.0, |largest: f32, g| largest.max(g.abs()));
        let part = |gradient: &[f32]| gradient.iter().map(|g| g / largest).collect::<Vec<_>>();
        (largest >= MIN_GRADIENT).then(|| difference(&part(&half[name]), &part(full)))
    });
    CheckResult::Difference(differences.fold(0.0, f64::max))
}

fn all_gradients(context: &Context, precision: Precision) -> BTreeMap<String, Vec<f32>> {
    let model = context.model(BERT, &context.device.clone().autodiff());
    let logits = context.logits(&model, ForwardContext { precision, ..ForwardContext::default() });
    super::gradients::gradients(&model, logits, &context.reference(BERT).integers("labels"))
}
