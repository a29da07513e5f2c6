//! Hidden states and logits of the tiny models.

use burn::tensor::{Device, Tensor};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, ForwardContext, from_pretrained};

use super::reference::{Reference, difference, values};
use super::{CheckResult, Context};

/// A tiny model and its golden values.
#[derive(Clone, Copy)]
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    directory: &'static str,
    /// The file with the golden values, relative to the directory.
    reference: &'static str,
}

pub(crate) const BERT: Fixture =
    Fixture { name: "BERT", directory: "tiny_bert", reference: "../golden.safetensors" };
pub(crate) const DISTILBERT: Fixture = Fixture {
    name: "DistilBERT",
    directory: "tiny_distilbert",
    reference: "../golden_distilbert.safetensors",
};

/// The models of `generate_families.py`.
pub(crate) const FAMILIES: [Fixture; 9] = [
    family("RoBERTa", "families/roberta"),
    family("XLM-RoBERTa", "families/xlm-roberta"),
    family("CamemBERT", "families/camembert"),
    family("ELECTRA", "families/electra"),
    family("ALBERT", "families/albert"),
    family("MPNet", "families/mpnet"),
    family("DeBERTa", "families/deberta-v2"),
    family("ModernBERT (mean)", "families/modernbert"),
    family("ModernBERT (cls)", "families/modernbert-cls"),
];

const fn family(name: &'static str, directory: &'static str) -> Fixture {
    Fixture { name, directory, reference: "golden.safetensors" }
}

impl Context {
    pub(crate) fn model(&self, fixture: Fixture, device: &Device) -> AutoModelForSequenceClassification {
        let directory = self.fixtures.join(fixture.directory);
        let config = AutoConfig::from_dir(&directory).expect("the fixture is a model");
        let loaded = from_pretrained(&directory, &config, 0, device).expect("the fixture is a model");
        loaded.complete(&directory).expect("the fixture is a complete model")
    }

    pub(crate) fn reference(&self, fixture: Fixture) -> Reference {
        Reference::open(&self.fixtures.join(fixture.directory), fixture.reference)
    }

    /// Returns the logits of a BERT for the batch of the fixture, `[batch, num_labels]`.
    pub(crate) fn logits(
        &self,
        model: &AutoModelForSequenceClassification,
        pass: ForwardContext,
    ) -> Tensor<2> {
        let reference = self.reference(BERT);
        model.forward(reference.input_ids(&self.device), &reference.layout(), pass)
    }
}

pub(super) fn hidden_states(context: &Context, fixture: Fixture) -> CheckResult {
    let reference = context.reference(fixture);
    let (ids, layout) = (reference.input_ids(&context.device), reference.layout());
    let states = context.model(fixture, &context.device).base_model.hidden_states(ids, &layout);
    let differences = states.into_iter().enumerate().map(|(layer, states)| {
        difference(&values(states), &reference.floats(&format!("hidden_states.{layer}")))
    });
    CheckResult::Difference(differences.fold(0.0, f64::max))
}

pub(super) fn logits(context: &Context, fixture: Fixture) -> CheckResult {
    let (reference, model) = (context.reference(fixture), context.model(fixture, &context.device));
    let ids = reference.input_ids(&context.device);
    let found = model.forward(ids, &reference.layout(), ForwardContext::default());
    CheckResult::Difference(difference(&values(found), &reference.floats("logits")))
}
