//! Hidden states and logits of the tiny models.

use burn::tensor::{Device, Tensor};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, ForwardContext, from_pretrained};

use super::reference::{Reference, difference, values};
use super::{CheckResult, Context};

/// The directory of a model, and the file with its golden values.
pub(crate) type Fixture = [&'static str; 2];

pub(crate) const BERT: Fixture = ["tiny_bert", "golden.safetensors"];
pub(crate) const DISTILBERT: Fixture = ["tiny_distilbert", "golden_distilbert.safetensors"];

impl Context {
    pub(crate) fn model(
        &self,
        [directory, _]: Fixture,
        device: &Device,
    ) -> AutoModelForSequenceClassification {
        let directory = self.fixtures.join(directory);
        let config = AutoConfig::from_dir(&directory).expect("the fixture is a model");
        let loaded = from_pretrained(&directory, &config, 0, device).expect("the fixture is a model");
        loaded.complete(&directory).expect("the fixture is a complete model")
    }

    pub(crate) fn reference(&self, [_, reference]: Fixture) -> Reference {
        Reference::open(&self.fixtures, reference)
    }

    /// Returns the logits of the fixture's batch, `[batch, num_labels]`.
    pub(crate) fn logits(
        &self,
        model: &AutoModelForSequenceClassification,
        pass: ForwardContext,
    ) -> Tensor<2> {
        let reference = self.reference(BERT);
        model.forward(reference.input_ids(&self.device), &reference.layout(), pass)
    }
}

pub(super) fn bert_hidden_states(context: &Context) -> CheckResult {
    hidden_states(context, BERT)
}

pub(super) fn distilbert_hidden_states(context: &Context) -> CheckResult {
    hidden_states(context, DISTILBERT)
}

pub(super) fn bert_logits(context: &Context) -> CheckResult {
    logits(context, BERT)
}

pub(super) fn distilbert_logits(context: &Context) -> CheckResult {
    logits(context, DISTILBERT)
}

fn hidden_states(context: &Context, fixture: Fixture) -> CheckResult {
    let reference = context.reference(fixture);
    let (ids, layout) = (reference.input_ids(&context.device), reference.layout());
    let states = context.model(fixture, &context.device).base_model.hidden_states(ids, &layout);
    let differences = states.into_iter().enumerate().map(|(layer, states)| {
        difference(&values(states), &reference.floats(&format!("hidden_states.{layer}")))
    });
    CheckResult::Difference(differences.fold(0.0, f64::max))
}

fn logits(context: &Context, fixture: Fixture) -> CheckResult {
    let found = context.logits(&context.model(fixture, &context.device), ForwardContext::default());
    CheckResult::Difference(difference(&values(found), &context.reference(fixture).floats("logits")))
}
