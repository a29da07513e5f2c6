//! AdamW (Loshchilov and Hutter, 2019) over the parameters of a model.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Shape, Tensor};
use embert_kernels::{AdamWParameter, AdamWStep, RowsOfStep, TableRows, adamw_all, adamw_rows};
use embert_model::{Parameter, ParameterMapper, map_parameters};

use crate::autodiff_leaf::autodiff_leaf;
use crate::gradients::{Gradient, ParameterGradients};
use crate::layer_decay::LayerDecay;
use crate::model::Model;
use crate::optimizer_state::{OptimizerState, ParameterState};

/// The settings of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWConfig {
    /// β₁, the decay rate of the mean of the gradient.
    pub beta1: f64,
    /// β₂, the decay rate of the mean of the squared gradient.
    pub beta2: f64,
    /// ε, added outside the square root.
    pub epsilon: f64,
    /// λ, the decoupled weight decay, of all parameters except biases and norms.
    pub weight_decay: f64,
    /// The factor of the learning rate from each layer to the layer below it; 1 is no decay.
    pub layer_wise_lr_decay: f64,
}

/// PyTorch's AdamW, with Hugging Face's weight decay: not on biases and LayerNorm weights.
///
/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← (1−ηλ)w − η·m̂ / (√v̂ + ε), with m̂ = m/(1−β₁ᵗ) and v̂ = v/(1−β₂ᵗ).
/// A parameter without a gradient does not change. Its first step has t = 1, whenever that is.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    state: OptimizerState,
}

impl AdamW {
    /// Returns an optimizer before its first step.
    pub fn new(config: AdamWConfig) -> Self {
        Self::with_state(config, OptimizerState::default())
    }

    /// Returns an optimizer that continues from `state`.
    pub fn with_state(config: AdamWConfig, state: OptimizerState) -> Self {
        Self { config, state }
    }

    /// Returns the state.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Makes one step with the gradients `gradients · scale`, and returns the model.
    ///
    /// `scale`, `[1]`, is that of [`StepGradients::scale`](crate::StepGradients::scale). The step works in place if the
    /// caller has no other copy of the model.
    pub fn step(
        &mut self,
        model: Model,
        gradients: ParameterGradients,
        scale: Tensor<1>,
        learning_rate: f64,
    ) -> Model {
        let layer_decay = LayerDecay::of(&model, self.config.layer_wise_lr_decay);
        let mut taken = Taken { gradients, learning_rate, layer_decay, optimizer: self, updates: vec![] };
        let model = map_parameters(model, &mut taken);
        let mut values = BTreeMap::new();
        for Updated { path, shape, values: new_values, state } in run(taken.updates, scale) {
            self.state.parameters.insert(path.clone(), state);
            values.insert(path, (new_values, shape));
        }
        map_parameters(model, &mut Replacer { values })
    }

    /// Returns the update of one parameter. Takes its moments out of the state.
    fn update(
        &mut self,
        path: String,
        param: (Tensor<1>, Shape),
        gradient: Gradient,
        rates: Rates,
    ) -> Update {
        let (values, shape) = param;
        let state = self.state.parameters.remove(&path);
        let state = state.unwrap_or_else(|| ParameterState::before(&gradient));
        let ParameterState { step, rows, moments } = state.fit(&gradient, shape.num_elements());
        let step = AdamWStep {
            learning_rate: rates.learning_rate,
            beta1: self.config.beta1,
            beta2: self.config.beta2,
            epsilon: self.config.epsilon,
            weight_decay: rates.weight_decay,
            step: step + 1,
        };
        let Gradient { values: gradient, rows: gradient_rows } = gradient;
        let parameter = AdamWParameter { values, gradient, moments, step };
        Update { path, shape, parameter, rows: gradient_rows.zip(rows) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    learning_rate: f64,
    weight_decay: f64,
}

/// The update of one parameter.
struct Update {
    path: String,
    shape: Shape,
    parameter: AdamWParameter,
    /// The rows with a gradient and those with moments, if only some rows of a table have them.
    rows: Option<(TableRows, TableRows)>,
}

/// A parameter after its update.
struct Updated {
    path: String,
    shape: Shape,
    /// `[elements]`
    values: Tensor<1>,
    state: ParameterState,
}

/// Runs the updates, of all complete parameters together.
fn run(updates: Vec<Update>, scale: Tensor<1>) -> Vec<Updated> {
    let mut updated = vec![];
    let (mut places, mut parameters) = (vec![], vec![]);
    for Update { path, shape, parameter, rows } in updates {
        let step = parameter.step.step;
        let Some((gradient, moments)) = rows else {
            places.push((path, shape, step));
            parameters.push(parameter);
            continue;
        };
        let rows = RowsOfStep { gradient: &gradient, moments: &moments };
        let (values, new_moments) = adamw_rows(parameter, scale.clone(), rows);
        let state = ParameterState { step, rows: Some(moments), moments: new_moments };
        updated.push(Updated { path, shape, values, state });
    }
    let complete = places.into_iter().zip(adamw_all(parameters, scale));
    updated.extend(complete.map(|((path, shape, step), (values, moments))| Updated {
        path,
        shape,
        values,
        state: ParameterState { step, rows: None, moments },
    }));
    updated
}

/// Takes the values of all parameters with a gradient out of the model, so that nothing else shares their memory.
struct Taken<'a> {
    gradients: ParameterGradients,
    learning_rate: f64,
    layer_decay: LayerDecay,
    optimizer: &'a mut AdamW,
    updates: Vec<Update>,
}

impl ParameterMapper for Taken<'_> {
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove(&parameter.path) else { return param };
        let decays = parameter.has_weight_decay();
        let Parameter { path, part, .. } = parameter;
        let rates = Rates {
            learning_rate: self.learning_rate * self.layer_decay.factor(part),
            weight_decay: if decays { self.optimizer.config.weight_decay } else { 0.0 },
        };
        param.map(|values| {
            let place = Tensor::empty([1; D], &values.device());
            let (shape, values) = (values.shape(), values.inner().flatten(0, D - 1));
            self.updates.push(self.optimizer.update(path, (values, shape), gradient, rates));
            place
        })
    }
}

/// Puts the new values of the parameters into the model.
struct Replacer {
    values: BTreeMap<String, (Tensor<1>, Shape)>,
}

impl ParameterMapper for Replacer {
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((values, shape)) = self.values.remove(&parameter.path) else { return param };
        param.map(|place| autodiff_leaf(values.reshape(shape), &place))
    }
}
