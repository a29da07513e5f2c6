//! How many values the CPU's operations keep of each layer for backward, and how many they work with.

use embert_model::names::Part;
use embert_model::{AutoConfig, ParameterShape};

/// The widths of a model, and what is trained in each of its layers.
pub(crate) struct LayerActivations {
    hidden: usize,
    intermediate: usize,
    heads: usize,
    trains_embeddings: bool,
    layers: Vec<Layer>,
}

/// What of a layer backward has to do with.
#[derive(Debug, Clone, Copy, Default)]
struct Layer {
    /// Something in it or below it is trained.
    is_on_the_tape: bool,
    /// A map to queries, keys or values, or an adapter of one, is trained.
    trains_attention: bool,
    /// The feed-forward network's first product, or an adapter of it.
    trains_intermediate: bool,
    /// The weight of its second product.
    trains_output: bool,
    adapts_output: bool,
    /// The ranks of all adapters.
    ranks: usize,
}

impl LayerActivations {
    /// For parameters that say what is trained.
    pub(crate) fn new(config: &AutoConfig, parameters: &[ParameterShape]) -> Self {
        let trained = parameters.iter().filter(|parameter| parameter.is_trainable);
        let mut layers = vec![Layer::default(); config.num_hidden_layers()];
        let mut trains_embeddings = false;
        for parameter in trained {
            match Part::of(&parameter.name) {
                Part::Embeddings => trains_embeddings = true,
                Part::Layer(number) => layers[number].train(parameter),
                Part::Head => {}
            }
        }
        let mut is_on_the_tape = trains_embeddings;
        for layer in &mut layers {
            is_on_the_tape |= layer.is_on_the_tape;
            layer.is_on_the_tape = is_on_the_tape;
        }
        Self {
            hidden: config.hidden_size(),
            intermediate: config.intermediate_size(),
            heads: config.num_attention_heads(),
            trains_embeddings,
            layers,
        }
    }

    /// The number of layers.
    pub(crate) fn len(&self) -> usize {
        self.layers.len()
    }

    /// The normalized sum, and each row's deviation.
    pub(crate) fn kept_by_embeddings(&self, tokens: usize) -> usize {
        if self.trains_embeddings { tokens * (self.hidden + 1) } else { 0 }
    }

    /// A layer's input alone.
    pub(crate) fn layer_input(&self, tokens: usize) -> usize {
        tokens * self.hidden
    }

    /// What forward keeps of a layer; the last computes keys and values of all tokens, and the rest of the first ones.
    pub(crate) fn kept(&self, layer: usize, tokens: usize, sequences: usize) -> usize {
        let Layer { is_on_the_tape, trains_attention, ranks, .. } = self.layers[layer];
        if !is_on_the_tape {
            return 0;
        }
        let input = if trains_attention { self.hidden } else { 0 };
        match layer + 1 == self.len() {
            true => tokens * (input + 2 * self.hidden + ranks) + sequences * self.kept_of_token(layer),
            false => tokens * self.kept_of_token(layer),
        }
    }

    /// Q, K and V, their context, both norms, the intermediate state and whatever the gradients of weights need.
    fn kept_of_token(&self, layer: usize) -> usize {
        let Layer { trains_attention, trains_intermediate, adapts_output, ranks, .. } = self.layers[layer];
        let inputs = usize::from(trains_attention) + usize::from(trains_intermediate);
        let wide = 1 + usize::from(adapts_output);
        (6 + inputs) * self.hidden + wide * self.intermediate + self.heads + 2 + ranks
    }

    /// What backward of a layer works with at most: the gradients of the intermediate state and of what surrounds it, gelu
    /// once more, and a factor packed for a product.
    pub(crate) fn at_work(&self, layer: usize, tokens: usize, sequences: usize, bf16: bool) -> usize {
        let rows = if layer + 1 == self.len() { sequences } else { tokens };
        let Layer { trains_intermediate, trains_output, .. } = self.layers[layer];
        let wide = 1 + usize::from(trains_output);
        let weight = self.hidden * self.intermediate;
        let factor = if trains_intermediate { weight.max(rows * self.intermediate) } else { weight };
        let packed = if bf16 { factor / 2 } else { factor };
        rows * (wide * self.intermediate + 3 * self.hidden) + packed
    }

    /// The gradient of the embeddings, before and after their norm and dropout.
    pub(crate) fn embeddings_backward(&self) -> usize {
        3 * self.hidden
    }

    /// Values of a token at the widest place of a layer that keeps nothing.
    pub(crate) fn inference(&self) -> usize {
        2 * self.intermediate + 3 * self.hidden
    }
}

impl Layer {
    fn train(&mut self, parameter: &ParameterShape) {
        self.is_on_the_tape = true;
        let path = parameter.path.as_str();
        let is_adapter = parameter.is_adapter();
        if !is_adapter && !path.ends_with(".weight") {
            return;
        }
        self.ranks += if path.ends_with(".lora_a") { parameter.shape[1] } else { 0 };
        self.trains_attention |= path.contains(".self_attention.");
        self.trains_intermediate |= path.contains(".intermediate.dense.");
        if path.contains(".output.dense.") && !path.contains(".attention.") {
            self.adapts_output |= is_adapter;
            self.trains_output |= !is_adapter;
        }
    }
}
