//! Adapters from PEFT, on the tiny BERT.

use embert_model::{Adapter, AutoModelForSequenceClassification, ForwardContext};

use super::models::BERT;
use super::reference::{Reference, difference, values};
use super::{CheckResult, Context};

/// The adapter directories of `generate_peft.py`.
const CASES: [&str; 11] = [
    "plain",
    "rslora",
    "patterns",
    "regex",
    "dense",
    "last_layer",
    "bias_all",
    "dora",
    "dora_dense",
    "pissa",
    "olora",
];

const REFERENCE: &str = "peft.safetensors";

impl Context {
    fn adapted(&self, case: &str, device: &burn::tensor::Device) -> AutoModelForSequenceClassification {
        let adapter =
            Adapter::open(&self.fixtures.join("peft").join(case)).expect("the fixture is an adapter");
        adapter.load(self.model(BERT, device), &[]).expect("the adapter is of this model")
    }
}

pub(super) fn logits(context: &Context) -> CheckResult {
    let reference = Reference::open(&context.fixtures, REFERENCE);
    let differences = CASES.map(|case| {
        let found = context.logits(&context.adapted(case, &context.device), ForwardContext::default());
        difference(&values(found), &reference.floats(&format!("{case}.logits")))
    });
    CheckResult::Difference(differences.into_iter().fold(0.0, f64::max))
}

pub(super) fn gradients(context: &Context) -> CheckResult {
    let reference = Reference::open(&context.fixtures, REFERENCE);
    let differences = CASES.map(|case| of_case(context, &reference, case));
    CheckResult::Difference(differences.into_iter().fold(0.0, f64::max))
}

fn of_case(context: &Context, reference: &Reference, case: &str) -> f64 {
    let model = context.adapted(case, &context.device.clone().autodiff());
    let logits = context.logits(&model, ForwardContext::default());
    let found = super::gradients::gradients(&model, logits, &context.reference(BERT).integers("labels"));
    let prefix = format!("{case}.grad.base_model.model.");
    let expected = reference.names().into_iter().filter_map(|name| {
        let parameter = name.strip_prefix(&prefix)?.replace(".base_layer", "");
        Some((parameter, reference.floats(&name)))
    });
    expected.map(|(name, gradient)| difference(&found[&name], &gradient)).fold(0.0, f64::max)
}
