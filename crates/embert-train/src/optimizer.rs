//! AdamW (Loshchilov and Hutter, 2019): m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
//! θ ← θ·(1 − ηλ) − η · m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε).

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;
use embert_model::names::PathStack;

use crate::config::TrainConfig;
use crate::gradients::ParameterGradients;

/// PyTorch's AdamW with Hugging Face's decay groups: matrices decay, biases and LayerNorm (all of rank 1) do not.
///
/// A parameter without a gradient stays as it is. The state belongs to the path of a parameter, not to its object.
#[derive(Debug)]
pub struct AdamW {
    /// β₁, the decay rate of the mean of the gradient.
    pub beta1: f64,
    /// β₂, the decay rate of the mean of the squared gradient.
    pub beta2: f64,
    /// ε, added outside the root.
    pub epsilon: f64,
    /// λ, the decoupled decay of matrices.
    pub weight_decay: f64,
    moments: HashMap<String, Moments>,
}

/// What AdamW remembers of one parameter, flat.
#[derive(Debug)]
struct Moments {
    step: i32,
    mean: Tensor<1>,
    mean_of_squares: Tensor<1>,
}

impl AdamW {
    /// An optimizer that has not made a step yet.
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            beta1: config.adam_beta1,
            beta2: config.adam_beta2,
            epsilon: config.adam_epsilon,
            weight_decay: config.weight_decay,
            moments: HashMap::new(),
        }
    }

    /// Makes one step on `model` with `gradients · scale` (`scale` is the clipping coefficient).
    ///
    /// Works in place where the caller holds no other copy of the model.
    pub fn step<M: Module>(
        &mut self,
        model: M,
        gradients: ParameterGradients,
        scale: f64,
        learning_rate: f64,
    ) -> M {
        model.map(&mut Step { path: PathStack::default(), gradients, scale, learning_rate, optimizer: self })
    }

    fn update(&mut self, path: String, values: Tensor<1>, gradient: Tensor<1>, rates: Rates) -> Tensor<1> {
        let moments = match self.moments.remove(&path) {
            Some(moments) => moments,
            None => Moments { step: 0, mean: gradient.zeros_like(), mean_of_squares: gradient.zeros_like() },
        };
        let moments = moments.updated(gradient, self.beta1, self.beta2);
        let correction1 = 1.0 - self.beta1.powi(moments.step);
        let correction2 = 1.0 - self.beta2.powi(moments.step);
        let denominator = (moments.mean_of_squares.clone().sqrt() / correction2.sqrt()) + self.epsilon;
        let direction = moments.mean.clone() / denominator;
        self.moments.insert(path, moments);
        values * (1.0 - rates.learning_rate * rates.weight_decay)
            - direction * (rates.learning_rate / correction1)
    }
}

impl Moments {
    fn updated(self, gradient: Tensor<1>, beta1: f64, beta2: f64) -> Self {
        let squares = gradient.clone().square() * (1.0 - beta2);
        Self {
            step: self.step + 1,
            mean: self.mean * beta1 + gradient * (1.0 - beta1),
            mean_of_squares: self.mean_of_squares * beta2 + squares,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    learning_rate: f64,
    weight_decay: f64,
}

struct Step<'a> {
    path: PathStack,
    gradients: ParameterGradients,
    scale: f64,
    learning_rate: f64,
    optimizer: &'a mut AdamW,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let path = self.path.to_string();
        let Some(gradient) = self.gradients.remove(&path) else { return param };
        let gradient = if self.scale < 1.0 { gradient * self.scale } else { gradient };
        let rates = Rates {
            learning_rate: self.learning_rate,
            weight_decay: if D > 1 { self.optimizer.weight_decay } else { 0.0 },
        };
        param.map(|values| {
            let checkpointing = values.gradient_checkpointing_strategy();
            let shape = values.shape();
            let values = values.inner().flatten(0, D - 1);
            let values = self.optimizer.update(path, values, gradient, rates).reshape(shape);
            let values = match checkpointing {
                Some(strategy) => Tensor::from_inner(values).with_gradient_checkpointing_strategy(strategy),
                None => Tensor::from_inner(values),
            };
            values.require_grad()
        })
    }
}
