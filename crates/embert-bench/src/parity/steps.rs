//! Ten steps of AdamW with clipping and warm-up: the loss of each.

use burn::module::Module;
use embert_model::Pass;
use embert_text::TokenBatch;
use embert_train::{AdamW, BackwardOptions, LabelledBatch, Targets, TrainConfig, step_gradients};

use super::models::{BERT, DISTILBERT, Fixture};
use super::reference::{Reference, difference};
use super::{Answer, Bench};

pub(super) fn bert(bench: &Bench) -> Answer {
    compare(bench, BERT)
}

pub(super) fn distilbert(bench: &Bench) -> Answer {
    compare(bench, DISTILBERT)
}

fn compare(bench: &Bench, fixture: Fixture) -> Answer {
    let figures = bench.figures(fixture);
    Answer::Difference(difference(&losses(bench, fixture, &figures), &figures.floats("losses")))
}

/// As `generate.py` trains.
fn losses(bench: &Bench, fixture: Fixture, figures: &Reference) -> Vec<f32> {
    let config =
        TrainConfig { learning_rate: 1e-3, weight_decay: 0.01, warmup_steps: 2, ..TrainConfig::default() };
    let (schedule, mut optimizer, batch) = (config.schedule(10), AdamW::new(config.adamw()), batch(figures));
    let objective = config.objective(&batch.targets, 3).expect("no weights to check");
    let mut model = bench.model(fixture, &bench.device.clone().autodiff()).train();
    let (mut losses, backward) = (vec![], BackwardOptions::default());
    for step in 0..10 {
        let found =
            step_gradients(&model, std::slice::from_ref(&batch), &objective, Pass::default(), backward);
        losses.push(found.loss.clone().into_scalar::<f32>());
        let scale = found.scale(config.max_grad_norm);
        model = optimizer.step(model, found.gradients, scale, schedule.learning_rate(step));
    }
    losses
}

fn batch(figures: &Reference) -> LabelledBatch {
    let lengths = figures.lengths();
    let tokens = TokenBatch {
        ids: figures.integers("input_ids").into_iter().map(|id| id as u32).collect(),
        rows: (0..lengths.len()).collect(),
        lengths,
        padded_to: None,
    };
    let labels = figures.integers("labels").into_iter().map(|label| label as usize).collect();
    LabelledBatch { tokens, targets: Targets::Labels(labels) }
}
