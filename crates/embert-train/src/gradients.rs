//! The gradients of a model by parameter path, summed over the micro-batches of an optimizer step.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor};
use embert_model::{Parameter, ParameterVisitor, visit_parameters};

use crate::model::Model;

/// Flat gradients by parameter path, such as `encoder.layers.0. ... .weight`.
///
/// The paths are sorted, so that sums over all gradients have a fixed order.
#[derive(Debug, Default)]
pub struct ParameterGradients {
    by_path: BTreeMap<String, Tensor<1>>,
}

impl ParameterGradients {
    /// Adds the gradients of the parameters of `model`.
    pub fn accumulate(&mut self, model: &Model, gradients: Gradients) {
        visit_parameters(model, &mut Accumulator { gradients, sum: self });
    }

    /// Removes and returns the flat gradient of the parameter at `path`.
    pub fn remove(&mut self, path: &str) -> Option<Tensor<1>> {
        self.by_path.remove(path)
    }

    /// Returns the gradients, sorted by path.
    pub fn values(&self) -> impl Iterator<Item = &Tensor<1>> {
        self.by_path.values()
    }

    /// Adds gradients from another device.
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

struct Accumulator<'a> {
    gradients: Gradients,
    sum: &'a mut ParameterGradients,
}

impl ParameterVisitor for Accumulator<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad_remove(&mut self.gradients) {
            self.sum.add(parameter.path, gradient.flatten(0, D - 1));
        }
    }
}
