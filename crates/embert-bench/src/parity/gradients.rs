//! The gradient of every parameter, for the mean loss of the fixture's batch.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Gradients, Int, Tensor};
use embert_model::{
    AutoModelForSequenceClassification, ForwardContext, Parameter, ParameterVisitor, visit_parameters,
};

use super::models::Fixture;
use super::reference::{difference, values};
use super::{CheckResult, Context};

pub(super) fn compare(context: &Context, fixture: Fixture) -> CheckResult {
    let model = context.model(fixture, &context.device.clone().autodiff());
    let reference = context.reference(fixture);
    let logits =
        model.forward(reference.input_ids(&context.device), &reference.layout(), ForwardContext::default());
    let found = gradients(&model, logits, &reference.integers("labels"));
    let difference_of = |(name, gradient): (&String, &Vec<f32>)| {
        difference(gradient, &reference.floats(&format!("grad.{name}")))
    };
    CheckResult::Difference(found.iter().map(difference_of).fold(0.0, f64::max))
}

/// Returns the gradients by Hugging Face name, in the orientation of the files.
pub(super) fn gradients(
    model: &AutoModelForSequenceClassification,
    logits: Tensor<2>,
    labels: &[i64],
) -> BTreeMap<String, Vec<f32>> {
    let labels = labels.iter().map(|&label| label as i32).collect::<Vec<_>>();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &logits.device()).unsqueeze_dim(1);
    let loss = log_softmax(logits, 1).gather(1, labels).mean().neg();
    let mut collector = Collector { gradients: loss.backward(), found: BTreeMap::new() };
    visit_parameters(model, &mut collector);
    collector.found
}

struct Collector {
    gradients: Gradients,
    found: BTreeMap<String, Vec<f32>>,
}

impl ParameterVisitor for Collector {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        let Some(gradient) = param.val().grad(&self.gradients) else { return };
        let name = parameter.name;
        let is_table = ["embeddings.", "relative_attention_bias."].iter().any(|part| name.contains(part));
        self.found.insert(name, values(if D == 2 && !is_table { gradient.transpose() } else { gradient }));
    }
}
