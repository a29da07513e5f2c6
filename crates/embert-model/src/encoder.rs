//! Encoder: a stack of transformer layers.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::SequenceLayout;

use crate::embeddings::Embedding;
use crate::encoder_config::EncoderConfig;
use crate::encoder_layer::EncoderLayer;
use crate::forward_context::{EncoderContext, ForwardContext};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;
use crate::relative_bias::relative_bias;

/// Encoder: a stack of transformer layers.
#[derive(Module, Debug)]
pub struct BertEncoder {
    /// The layers with weights of their own. See [`layers`](Self::layers).
    pub layer: Vec<EncoderLayer>,
    num_hidden_layers: usize,
    /// The relative embeddings of DeBERTa, `[2 · span, hidden]`, which all layers project.
    pub rel_embeddings: Option<Embedding>,
    /// LayerNorm of the relative embeddings.
    pub layer_norm: Option<LayerNorm>,
    /// The relative position bias of MPNet, `[buckets, heads]`, which all layers add to their scores.
    pub relative_attention_bias: Option<Embedding>,
    /// LayerNorm after the last layer; `None` if each layer ends with one.
    pub final_norm: Option<LayerNorm>,
}

impl BertEncoder {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        let layers = 0..config.num_stored_layers();
        let relative = config.deberta.as_ref();
        let positions = relative.map(|deberta| deberta.relative_positions(config.max_position_embeddings));
        let hidden = config.hidden_size;
        let norm = || LayerNorm::zeros(hidden, config, device);
        Self {
            layer: layers.map(|layer| EncoderLayer::zeros(config, layer, device)).collect(),
            num_hidden_layers: config.num_hidden_layers,
            rel_embeddings: positions.map(|positions| Embedding::zeros(2 * positions.span(), hidden, device)),
            layer_norm: relative.map(|_| norm()),
            relative_attention_bias: config
                .relative_attention_num_buckets
                .map(|buckets| Embedding::zeros(buckets, config.num_attention_heads, device)),
            final_norm: config.modernbert.is_some().then(norm),
        }
    }

    /// Returns the layers in the order of the forward pass. In ALBERT, several of them have the same weights.
    pub fn layers(&self) -> Vec<&EncoderLayer> {
        (0..self.num_hidden_layers).map(|number| &self.layer[self.stored_layer(number)]).collect()
    }

    /// Returns the index in `layer` of the layer with this number in the forward pass.
    pub fn stored_layer(&self, number: usize) -> usize {
        number * self.layer.len() / self.num_hidden_layers
    }

    /// Returns the context of the layers.
    pub fn context<'a>(&self, layout: &'a SequenceLayout, forward: ForwardContext) -> EncoderContext<'a> {
        let embeddings = self.rel_embeddings.as_ref().zip(self.layer_norm.as_ref());
        let embeddings = embeddings.map(|(table, norm)| norm.forward(table.weight.val()));
        let bias = self.relative_attention_bias.as_ref();
        let bias = bias.map(|table| relative_bias(table.weight.val(), layout));
        EncoderContext { forward, layout, relative: embeddings.or(bias) }
    }

    /// Returns an iterator over the hidden states after each layer. The last item equals
    /// [`forward`](Self::forward).
    ///
    /// # Shapes
    /// - `x`, each item: `[num_tokens, hidden]`
    pub fn forward_each<'a>(
        &'a self,
        x: Tensor<2>,
        context: &'a EncoderContext<'_>,
    ) -> impl Iterator<Item = Tensor<2>> + 'a {
        self.layers().into_iter().enumerate().scan(x, move |x, (number, layer)| {
            *x = layer.forward(x.clone(), number, context);
            Some(if number + 1 == self.num_hidden_layers { self.normalized(x.clone()) } else { x.clone() })
        })
    }

    /// Returns the hidden states after the last layer.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        self.forward_last(self.forward_below(x, context), context)
    }

    /// Returns the hidden states of the first token of each sequence after the last layer.
    ///
    /// The last layer computes only keys and values for all other tokens.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    ///
    /// # Panics
    /// If the encoder has no layers.
    pub fn forward_first(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        self.forward_last_first(self.forward_below(x, context), context)
    }

    /// Returns the input of the last layer.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub(crate) fn forward_below(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        let below = self.layers().into_iter().enumerate().take(self.num_hidden_layers - 1);
        below.fold(x, |x, (number, layer)| layer.forward(x, number, context))
    }

    /// Returns the hidden states after the last layer, from its input.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub(crate) fn forward_last(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        let (last, number) = self.last();
        self.normalized(last.forward(x, number, context))
    }

    /// Returns the hidden states of the first token of each sequence after the last layer, from its input.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub(crate) fn forward_last_first(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        let (last, number) = self.last();
        self.normalized(last.forward_first(x, number, context))
    }

    /// Returns the last layer and its number.
    fn last(&self) -> (&EncoderLayer, usize) {
        (self.layer.last().expect("an encoder has layers"), self.num_hidden_layers - 1)
    }

    fn normalized(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.final_norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        self.layer.iter_mut().enumerate().flat_map(|(number, layer)| {
            let layers = layer.linear_layers().into_iter();
            layers.map(move |(path, linear)| (format!("layer.{number}.{path}"), linear))
        })
    }
}
