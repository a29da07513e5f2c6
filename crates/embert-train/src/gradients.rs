//! The gradients of a model by parameter path, summed over the micro-batches of an optimizer step.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor};
use embert_kernels::TableRows;
use embert_model::{Parameter, ParameterVisitor, visit_parameters};

use crate::model::Model;

/// Flat gradients by parameter path, such as `encoder.layers.0. ... .weight`.
///
/// The paths are sorted, so that sums over all gradients have a fixed order.
#[derive(Debug, Default)]
pub struct ParameterGradients {
    by_path: BTreeMap<String, Gradient>,
    /// The rows of the word embeddings that the current micro-batch reads; `None` for all.
    word_rows: Option<TableRows>,
}

/// The gradient of a parameter.
#[derive(Debug, Clone)]
pub struct Gradient {
    /// The values, `[elements]`; `[rows · columns]` if it has only some rows.
    pub values: Tensor<1>,
    /// The rows of a table that have a gradient. The others are zero. `None` if all have one.
    pub rows: Option<TableRows>,
}

impl ParameterGradients {
    /// Adds the gradients of the parameters of `model`.
    pub fn accumulate(&mut self, model: &Model, gradients: Gradients) {
        visit_parameters(model, &mut Accumulator { gradients, sum: self });
    }

    /// Sets the rows of the word embeddings that the models of the next calls of [`accumulate`](Self::accumulate) have.
    pub(crate) fn set_word_rows(&mut self, rows: Option<TableRows>) {
        self.word_rows = rows;
    }

    /// Removes and returns the gradient of the parameter at `path`.
    pub fn remove(&mut self, path: &str) -> Option<Gradient> {
        self.by_path.remove(path)
    }

    /// Returns the flat values of the gradients, sorted by path. Rows that are zero in every micro-batch are left out.
    pub fn values(&self) -> impl Iterator<Item = &Tensor<1>> {
        self.by_path.values().map(|gradient| &gradient.values)
    }

    /// Adds gradients from another device.
    pub(crate) fn add_from(&mut self, other: Self, device: &Device) {
        for (path, Gradient { values, rows }) in other.by_path {
            self.add(path, Gradient { values: values.to_device(device), rows });
        }
    }

    fn add(&mut self, path: String, gradient: Gradient) {
        let sum = match self.by_path.remove(&path) {
            Some(sum) => sum.plus(gradient),
            None => gradient,
        };
        self.by_path.insert(path, sum);
    }
}

impl Gradient {
    /// Returns the sum. Both have all rows, or both have some.
    fn plus(self, other: Self) -> Self {
        let rows = self.rows.as_ref().zip(other.rows.as_ref()).map(|(mine, others)| mine.union(others));
        let [mine, others] = [self, other].map(|gradient| match (gradient.rows, &rows) {
            (Some(some), Some(all)) => some.spread(gradient.values, all),
            _ => gradient.values,
        });
        Self { values: mine + others, rows }
    }
}

struct Accumulator<'a> {
    gradients: Gradients,
    sum: &'a mut ParameterGradients,
}

impl ParameterVisitor for Accumulator<'_> {
    fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad_remove(&mut self.gradients) {
            let rows = self.sum.word_rows.clone().filter(|_| parameter.is_word_embeddings());
            self.sum.add(parameter.path, Gradient { values: gradient.flatten(0, D - 1), rows });
        }
    }
}
