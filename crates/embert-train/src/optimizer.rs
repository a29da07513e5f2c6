//! AdamW (Loshchilov and Hutter, 2019) over the parameters of a module.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::Tensor;
use embert_kernels::{AdamWStep, Moments, adamw};
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
    /// ε, added outside the root.
    pub epsilon: f64,
    /// λ, the decoupled decay of matrices.
    pub weight_decay: f64,
    /// What the learning rate is multiplied with from a layer to the one below.
    pub layer_wise_lr_decay: f64,
}

/// PyTorch's AdamW with Hugging Face's decay groups: matrices decay, biases and LayerNorm (all of rank 1) do not.
///
/// A parameter without a gradient stays as it is. The state belongs to the path of a parameter, not to its object.
#[derive(Debug)]
pub struct AdamW {
    config: AdamWConfig,
    state: OptimizerState,
}

/// The state of AdamW, by the path of a parameter.
#[derive(Debug, Clone, Default)]
pub struct OptimizerState {
    pub(crate) parameters: BTreeMap<String, ParameterState>,
}

/// The moments of one parameter, and the number of its steps.
#[derive(Debug, Clone)]
pub(crate) struct ParameterState {
    pub(crate) step: i32,
    pub(crate) moments: Moments,
}

impl AdamW {
    /// Returns an optimizer that has not made a step.
    pub fn new(config: AdamWConfig) -> Self {
        Self::with_state(config, OptimizerState::default())
    }

    /// Returns an optimizer with the state of an earlier one.
    pub fn with_state(config: AdamWConfig, state: OptimizerState) -> Self {
        Self { config, state }
    }

    /// Returns its state.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Makes one step on `model` with `gradients · scale` (`scale`, `[1]`, is the clipping coefficient).
    ///
    /// Works in place where the caller holds no other copy of the model.
    pub fn step(
        &mut self,
        model: Model,
        gradients: ParameterGradients,
        scale: Tensor<1>,
        learning_rate: f64,
    ) -> Model {
        let layer_decay = LayerDecay::of(&model, self.config.layer_wise_lr_decay);
        let mut step = Step { gradients, scale, learning_rate, layer_decay, optimizer: self };
        map_parameters(model, &mut step)
    }

    fn update(
        &mut self,
        path: String,
        values: Tensor<1>,
        gradient: Tensor<1>,
        scale: Tensor<1>,
        rates: Rates,
    ) -> Tensor<1> {
        let zeros = || Moments { mean: gradient.zeros_like(), mean_of_squares: gradient.zeros_like() };
        let known = self.state.parameters.remove(&path);
        let ParameterState { step, moments } =
            known.unwrap_or_else(|| ParameterState { step: 0, moments: zeros() });
        let step = step + 1;
        let numbers = AdamWStep {
            learning_rate: rates.learning_rate,
            beta1: self.config.beta1,
            beta2: self.config.beta2,
            epsilon: self.config.epsilon,
            weight_decay: rates.weight_decay,
            step,
        };
        let (values, moments) = adamw(values, gradient, scale, moments, &numbers);
        self.state.parameters.insert(path, ParameterState { step, moments });
        values
    }
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    learning_rate: f64,
    weight_decay: f64,
}

struct Step<'a> {
    gradients: ParameterGradients,
    scale: Tensor<1>,
    learning_rate: f64,
    layer_decay: LayerDecay,
    optimizer: &'a mut AdamW,
}

impl ParameterMapper for Step<'_> {
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Parameter { path, part, .. } = parameter;
        let Some(gradient) = self.gradients.remove(&path) else { return param };
        let rates = Rates {
            learning_rate: self.learning_rate * self.layer_decay.factor(part),
            weight_decay: if D > 1 { self.optimizer.config.weight_decay } else { 0.0 },
        };
        param.map(|values| {
            let checkpointing = values.gradient_checkpointing_strategy();
            let shape = values.shape();
            let values = values.inner().flatten(0, D - 1);
            let values =
                self.optimizer.update(path, values, gradient, self.scale.clone(), rates).reshape(shape);
            let values = match checkpointing {
                Some(strategy) => Tensor::from_inner(values).with_gradient_checkpointing_strategy(strategy),
                None => Tensor::from_inner(values),
            };
            values.require_grad()
        })
    }
}
