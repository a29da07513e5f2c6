//! The losses of ten AdamW steps with clipping and warm-up.

use burn::module::Module;
use embert_model::ForwardContext;
use embert_text::TokenBatch;
use embert_train::{AdamW, BackwardOptions, LabelledBatch, Targets, TrainConfig, step_gradients};

use super::models::{BERT, DISTILBERT, Fixture};
use super::reference::{Reference, difference};
use super::{CheckResult, Context};

pub(super) fn bert(context: &Context) -> CheckResult {
    compare(context, BERT)
}

pub(super) fn distilbert(context: &Context) -> CheckResult {
    compare(context, DISTILBERT)
}

fn compare(context: &Context, fixture: Fixture) -> CheckResult {
    let reference = context.reference(fixture);
    CheckResult::Difference(difference(&losses(context, fixture, &reference), &reference.floats("losses")))
}

/// Trains as in `generate.py`.
fn losses(context: &Context, fixture: Fixture, reference: &Reference) -> Vec<f32> {
    let config = TrainConfig {
        learning_rate: 1e-3,
        weight_decay: 0.01,
        warmup_steps: 2.into(),
        ..TrainConfig::default()
    };
    let schedule = config.schedule(10).expect("the default scheduler has valid settings");
    let (mut optimizer, batch) = (AdamW::new(config.adamw()), batch(reference));
    let objective = config.objective(&batch.targets, 3).expect("the default class weights are valid");
    let mut model = context.model(fixture, &context.device.clone().autodiff()).train();
    let (mut losses, backward) = (vec![], BackwardOptions::default());
    for step in 0..10 {
        let found = step_gradients(
            &model,
            std::slice::from_ref(&batch),
            &objective,
            ForwardContext::default(),
            backward,
        );
        losses.push(found.loss.clone().into_scalar::<f32>());
        let scale = found.scale(config.max_grad_norm);
        model = optimizer.step(model, found.gradients, scale, schedule.learning_rate(step));
    }
    losses
}

fn batch(reference: &Reference) -> LabelledBatch {
    let lengths = reference.lengths();
    let tokens = TokenBatch {
        ids: reference.integers("input_ids").into_iter().map(|id| id as u32).collect(),
        rows: (0..lengths.len()).collect(),
        lengths,
        first_segment_lengths: None,
        padded_to: None,
    };
    let labels = reference.integers("labels").into_iter().map(|label| label as usize).collect();
    LabelledBatch { tokens, targets: Targets::Labels(labels) }
}
