//! Adapters that PEFT made, on the tiny BERT.

use embert_model::{Adapter, AutoModelForSequenceClassification, ForwardContext};

use super::models::BERT;
use super::reference::{Reference, difference, values};
use super::{Answer, Bench};

/// The directories of `generate_peft.py`.
const CASES: [&str; 7] = ["plain", "rslora", "patterns", "regex", "dense", "last_layer", "bias_all"];

const FIGURES: &str = "peft.safetensors";

impl Bench {
    fn adapted(&self, case: &str, device: &burn::tensor::Device) -> AutoModelForSequenceClassification {
        let adapter =
            Adapter::open(&self.fixtures.join("peft").join(case)).expect("the fixture is an adapter");
        adapter.load(self.model(BERT, device), &[]).expect("the adapter is of this model")
    }
}

pub(super) fn logits(bench: &Bench) -> Answer {
    let figures = Reference::open(&bench.fixtures, FIGURES);
    let off = CASES.map(|case| {
        let found = bench.logits(&bench.adapted(case, &bench.device), ForwardContext::default());
        difference(&values(found), &figures.floats(&format!("{case}.logits")))
    });
    Answer::Difference(off.into_iter().fold(0.0, f64::max))
}

pub(super) fn gradients(bench: &Bench) -> Answer {
    let figures = Reference::open(&bench.fixtures, FIGURES);
    let off = CASES.map(|case| of_case(bench, &figures, case));
    Answer::Difference(off.into_iter().fold(0.0, f64::max))
}

fn of_case(bench: &Bench, figures: &Reference, case: &str) -> f64 {
    let model = bench.adapted(case, &bench.device.clone().autodiff());
    let logits = bench.logits(&model, ForwardContext::default());
    let found = super::gradients::gradients(&model, logits, &bench.figures(BERT).integers("labels"));
    let prefix = format!("{case}.grad.base_model.model.");
    let expected = figures.names().into_iter().filter_map(|name| {
        let ours = name.strip_prefix(&prefix)?.replace(".base_layer", "");
        Some((ours, figures.floats(&name)))
    });
    expected.map(|(name, gradient)| difference(&found[&name], &gradient)).fold(0.0, f64::max)
}
