//! The gradients of a model by parameter path, summed over the micro-batches of an optimizer step.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor};
use embert_model::{Parameter, ParameterVisitor, visit_parameters};

use crate::model::Model;

/// One flat gradient for each parameter that has one, by the path of its module (`encoder.layers.0. ... .weight`).
///
/// The order of the paths is that of their letters, so sums over all gradients always add in one order.
#[derive(Debug, Default)]
pub struct ParameterGradients {
    by_path: BTreeMap<String, Tensor<1>>,
}

impl ParameterGradients {
    /// Adds what `backward` found for the parameters of `model`.
    pub fn accumulate(&mut self, model: &Model, gradients: Gradients) {
        visit_parameters(model, &mut Accumulation { gradients, into: self });
    }

    /// Takes the gradient of the parameter at `path`, flattened.
    pub fn remove(&mut self, path: &str) -> Option<Tensor<1>> {
        self.by_path.remove(path)
    }

    /// The gradients in the order of their paths.
    pub fn values(&self) -> impl Iterator<Item = &Tensor<1>> {
        self.by_path.values()
    }

    /// Adds those of another device.
    pub(crate) fn add_from(&mut self, other: Self, device: &Device) {
        let moved = other.by_path.into_iter().map(|(path, gradient)| (path, gradient.to_device(device)));
        moved.for_each(|(path, gradient)| self.add(path, gradient));
    }

    fn add(&mut self, path: String, gradient: Tensor<1>) {
        let sum = match self.by_path.remove(&path) {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        self.by_path.insert(path, sum);
    }
}

struct Accumulation<'a> {
    gradients: Gradients,
    into: &'a mut ParameterGradients,
}

impl ParameterVisitor for Accumulation<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad_remove(&mut self.gradients) {
            self.into.add(parameter.path, gradient.flatten(0, D - 1));
        }
    }
}
