//! Hidden states and logits of the tiny models.

use burn::tensor::{Device, Tensor};
use embert_model::{AutoConfig, AutoModelForSequenceClassification, ForwardContext, from_pretrained};

use super::reference::{Reference, difference, values};
use super::{Answer, Bench};

/// A directory of the fixtures, and the figures of the model in it.
pub(crate) type Fixture = [&'static str; 2];

pub(crate) const BERT: Fixture = ["tiny_bert", "golden.safetensors"];
pub(crate) const DISTILBERT: Fixture = ["tiny_distilbert", "golden_distilbert.safetensors"];

impl Bench {
    pub(crate) fn model(
        &self,
        [directory, _]: Fixture,
        device: &Device,
    ) -> AutoModelForSequenceClassification {
        let directory = self.fixtures.join(directory);
        let config = AutoConfig::from_dir(&directory).expect("the fixture is a model");
        let loaded = from_pretrained(&directory, &config, 0, device).expect("the fixture is a model");
        loaded.complete(&directory).expect("the fixture is a whole model")
    }

    pub(crate) fn figures(&self, [_, figures]: Fixture) -> Reference {
        Reference::open(&self.fixtures, figures)
    }

    /// `[batch, num_labels]`
    pub(crate) fn logits(
        &self,
        model: &AutoModelForSequenceClassification,
        pass: ForwardContext,
    ) -> Tensor<2> {
        let figures = self.figures(BERT);
        model.forward(figures.input_ids(&self.device), &figures.layout(), pass)
    }
}

pub(super) fn bert_hidden_states(bench: &Bench) -> Answer {
    hidden_states(bench, BERT)
}

pub(super) fn distilbert_hidden_states(bench: &Bench) -> Answer {
    hidden_states(bench, DISTILBERT)
}

pub(super) fn bert_logits(bench: &Bench) -> Answer {
    logits(bench, BERT)
}

pub(super) fn distilbert_logits(bench: &Bench) -> Answer {
    logits(bench, DISTILBERT)
}

fn hidden_states(bench: &Bench, fixture: Fixture) -> Answer {
    let figures = bench.figures(fixture);
    let (ids, layout) = (figures.input_ids(&bench.device), figures.layout());
    let states = bench.model(fixture, &bench.device).base_model.hidden_states(ids, &layout);
    let differences = states.into_iter().enumerate().map(|(layer, states)| {
        difference(&values(states), &figures.floats(&format!("hidden_states.{layer}")))
    });
    Answer::Difference(differences.fold(0.0, f64::max))
}

fn logits(bench: &Bench, fixture: Fixture) -> Answer {
    let found = bench.logits(&bench.model(fixture, &bench.device), ForwardContext::default());
    Answer::Difference(difference(&values(found), &bench.figures(fixture).floats("logits")))
}
