//! The gradients of a model by parameter path, summed over the micro-batches of an optimizer step.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use embert_model::names::PathStack;

/// One flat gradient for each parameter that has one, by the path of its module (`encoder.layers.0. ... .weight`).
///
/// The order of the paths is that of their letters, so sums over all gradients always add in one order.
#[derive(Debug, Default)]
pub struct ParameterGradients {
    by_path: BTreeMap<String, Tensor<1>>,
}

impl ParameterGradients {
    /// Adds what `backward` found for the parameters of `model`.
    pub fn accumulate<M: Module>(&mut self, model: &M, gradients: Gradients) {
        model.visit(&mut Accumulation { path: PathStack::default(), gradients, into: self });
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
    path: PathStack,
    gradients: Gradients,
    into: &'a mut ParameterGradients,
}

impl ModuleVisitor for Accumulation<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad_remove(&mut self.gradients) {
            self.into.add(self.path.to_string(), gradient.flatten(0, D - 1));
        }
    }
}
