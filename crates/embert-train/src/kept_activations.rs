//! How many values the CPU's operations keep of each layer for backward, and how many they work with.

use embert_kernels::Precision;
use embert_model::{AutoConfig, Parameter, Part};

/// The widths of a model, and what is trained in each of its layers.
pub(crate) struct LayerActivations {
    hidden: usize,
    intermediate: usize,
    heads: usize,
    trains_embeddings: bool,
    /// Products round their factors to bf16, and so are these saved.
    rounds_to_bf16: bool,
    layers: Vec<Layer>,
}

/// What of a layer backward has to do with.
#[derive(Debug, Clone, Copy, Default)]
struct Layer {
    /// Something in it or below it is trained.
    is_on_the_tape: bool,
    /// The maps to queries, keys and values.
    attention: Product,
    attention_output: Product,
    /// The feed-forward network's first product.
    intermediate: Product,
    /// Its second.
    output: Product,
    /// The ranks of all adapters.
    ranks: usize,
}

/// What of a product is trained.
#[derive(Debug, Clone, Copy, Default)]
struct Product {
    weight: bool,
    /// An adapter, which is computed in fp32.
    adapter: bool,
}

impl Product {
    fn is_trained(self) -> bool {
        self.weight || self.adapter
    }
}

impl LayerActivations {
    /// For parameters that say what is trained.
    pub(crate) fn new(config: &AutoConfig, parameters: &[Parameter], bf16: bool) -> Self {
        let trained = parameters.iter().filter(|parameter| parameter.is_trainable);
        let mut layers = vec![Layer::default(); config.encoder.num_hidden_layers];
        let mut trains_embeddings = false;
        for parameter in trained {
            match parameter.part {
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
            hidden: config.encoder.hidden_size,
            intermediate: config.encoder.intermediate_size,
            heads: config.encoder.num_attention_heads,
            trains_embeddings,
            rounds_to_bf16: bf16 && Precision::Bf16.rounds_on_cpu(),
            layers,
        }
    }

    /// Of what only products read.
    fn saved(&self, width: usize) -> usize {
        if self.rounds_to_bf16 { width / 2 } else { width }
    }

    /// Of a product's input: one matrix in fp32 for all its adapters, and one for the weight that may be the same.
    fn input(&self, product: Product, width: usize) -> usize {
        let whole = if product.adapter { width } else { 0 };
        let saved = if product.weight { self.saved(width) } else { 0 };
        if self.rounds_to_bf16 { whole + saved } else { whole.max(saved) }
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
        let Layer { is_on_the_tape, attention, ranks, .. } = self.layers[layer];
        if !is_on_the_tape {
            return 0;
        }
        let key_value = self.input(attention, self.hidden) + self.saved(2 * self.hidden) + ranks;
        match layer + 1 == self.len() {
            true => tokens * key_value + sequences * self.kept_of_token(layer),
            false => tokens * self.kept_of_token(layer),
        }
    }

    /// Q, K and V, both norms, the intermediate state and whatever the gradients of weights need.
    fn kept_of_token(&self, layer: usize) -> usize {
        let Layer { attention, attention_output, intermediate, output, ranks, .. } = self.layers[layer];
        let inputs = [attention, attention_output, intermediate].map(|of| self.input(of, self.hidden));
        let wide = match output.adapter {
            true => self.intermediate + self.input(output, self.intermediate),
            false => self.saved(self.intermediate), // gelu's output is made again
        };
        let hidden = self.saved(3 * self.hidden) + 2 * self.hidden + inputs.iter().sum::<usize>();
        hidden + wide + self.heads + 2 + ranks
    }

    /// What backward of a layer works with at most: the gradients of the intermediate state and of what surrounds it, gelu
    /// once more, the hole that the state in fp32 left where it was saved in bf16, and a factor packed for a product.
    pub(crate) fn at_work(&self, layer: usize, tokens: usize, sequences: usize, bf16: bool) -> usize {
        let rows = if layer + 1 == self.len() { sequences } else { tokens };
        let Layer { intermediate, output, .. } = self.layers[layer];
        let wide = 1 + usize::from(output.weight) + usize::from(self.rounds_to_bf16);
        let weight = self.hidden * self.intermediate;
        let factor = if intermediate.is_trained() { weight.max(rows * self.intermediate) } else { weight };
        let packed = if bf16 { factor / 2 } else { factor };
        rows * (wide * self.intermediate + 3 * self.hidden) + packed
    }

    /// The gradient of the embeddings, before and after their norm and dropout.
    pub(crate) fn embeddings_backward(&self) -> usize {
        3 * self.hidden
    }

    /// Values of a token at the widest place of a layer that keeps nothing.
    pub(crate) fn inference(&self) -> usize {
        self.intermediate + 3 * self.hidden
    }
}

impl Layer {
    fn train(&mut self, parameter: &Parameter) {
        self.is_on_the_tape = true;
        let path = parameter.path.as_str();
        let is_adapter = parameter.is_adapter();
        if !is_adapter && !path.ends_with(".weight") {
            return;
        }
        self.ranks += if path.ends_with(".lora_a") { parameter.shape[1] } else { 0 };
        if let Some(product) = self.product(path) {
            product.adapter |= is_adapter;
            product.weight |= !is_adapter;
        }
    }

    /// The product to which a parameter's module path leads.
    fn product(&mut self, path: &str) -> Option<&mut Product> {
        let leads_into = |part| path.contains(part);
        match leads_into(".dense.") {
            _ if leads_into(".self_attention.") => Some(&mut self.attention),
            false => None,
            true if leads_into(".attention.") => Some(&mut self.attention_output),
            true if leads_into(".intermediate.") => Some(&mut self.intermediate),
            true => Some(&mut self.output),
        }
    }
}
