//! AdamW (Loshchilov and Hutter, 2019) over the parameters of a model.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Shape, Tensor};
use embert_kernels::{AdamWParameter, AdamWStep, Moments, adamw_all};
use embert_model::{Parameter, ParameterMapper, map_parameters};

use crate::gradients::ParameterGradients;
use crate::layer_decay::LayerDecay;
use crate::model::Model;

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

/// The state of AdamW, by parameter path.
#[derive(Debug, Clone, Default)]
pub struct OptimizerState {
    pub(crate) parameters: BTreeMap<String, ParameterState>,
}

/// The moments of a parameter, and its number of steps.
#[derive(Debug, Clone)]
pub(crate) struct ParameterState {
    pub(crate) step: i32,
    pub(crate) moments: Moments,
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
        let (paths, parameters) = (vec![], vec![]);
        let mut taken = Taken { gradients, learning_rate, layer_decay, optimizer: self, paths, parameters };
        let model = map_parameters(model, &mut taken);
        let Taken { paths, parameters, .. } = taken;
        let steps = parameters.iter().map(|parameter| parameter.step.step).collect::<Vec<_>>();
        let mut values = BTreeMap::new();
        for (((path, shape), step), updated) in paths.into_iter().zip(steps).zip(adamw_all(parameters, scale))
        {
            let (new_values, moments) = updated;
            self.state.parameters.insert(path.clone(), ParameterState { step, moments });
            values.insert(path, (new_values, shape));
        }
        map_parameters(model, &mut Replacer { values })
    }

    /// Returns the step of one parameter. Takes its moments out of the state.
    fn parameter(
        &mut self,
        path: &str,
        values: Tensor<1>,
        gradient: Tensor<1>,
        rates: Rates,
    ) -> AdamWParameter {
        let zeros = || Moments { mean: gradient.zeros_like(), mean_of_squares: gradient.zeros_like() };
        let state = self.state.parameters.remove(path);
        let ParameterState { step, moments } =
            state.unwrap_or_else(|| ParameterState { step: 0, moments: zeros() });
        let step = AdamWStep {
            learning_rate: rates.learning_rate,
            beta1: self.config.beta1,
            beta2: self.config.beta2,
            epsilon: self.config.epsilon,
            weight_decay: rates.weight_decay,
            step: step + 1,
        };
        AdamWParameter { values, gradient, moments, step }
    }
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    learning_rate: f64,
    weight_decay: f64,
}

/// Takes the values of all parameters with a gradient out of the model, so that nothing else shares their memory.
struct Taken<'a> {
    gradients: ParameterGradients,
    learning_rate: f64,
    layer_decay: LayerDecay,
    optimizer: &'a mut AdamW,
    /// The path and the shape of each parameter.
    paths: Vec<(String, Shape)>,
    parameters: Vec<AdamWParameter>,
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
            self.parameters.push(self.optimizer.parameter(&path, values, gradient, rates));
            self.paths.push((path, shape));
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
        param.map(|place| {
            let values = values.reshape(shape);
            let values = match place.gradient_checkpointing_strategy() {
                Some(strategy) => Tensor::from_inner(values).with_gradient_checkpointing_strategy(strategy),
                None => Tensor::from_inner(values),
            };
            values.require_grad()
        })
    }
}
