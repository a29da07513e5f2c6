//! Encoder: a stack of transformer layers.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::SequenceLayout;

use crate::encoder_config::EncoderConfig;
use crate::forward_context::ForwardContext;
use crate::layer::BertLayer;
use crate::linear::Linear;

/// Encoder: a stack of transformer layers.
#[derive(Module, Debug)]
pub struct BertEncoder {
    /// The layers, in the order of the forward pass.
    pub layer: Vec<BertLayer>,
}

impl BertEncoder {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        Self { layer: (0..config.num_hidden_layers).map(|_| BertLayer::zeros(config, device)).collect() }
    }

    /// Returns an iterator over the hidden states after each layer. The last item equals
    /// [`forward`](Self::forward).
    ///
    /// # Shapes
    /// - `hidden_states`, each item: `[num_tokens, hidden]`
    pub fn forward_each<'a>(
        &'a self,
        hidden_states: Tensor<2>,
        layout: &'a SequenceLayout,
        context: ForwardContext,
    ) -> impl Iterator<Item = Tensor<2>> + 'a {
        self.layer.iter().enumerate().scan(hidden_states, move |x, (number, layer)| {
            *x = layer.forward(x.clone(), layout, number, context);
            Some(x.clone())
        })
    }

    /// Returns the hidden states after the last layer.
    ///
    /// # Shapes
    /// - `hidden_states`, output: `[num_tokens, hidden]`
    pub fn forward(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        let layers = self.layer.iter().enumerate();
        layers.fold(hidden_states, |x, (number, layer)| layer.forward(x, layout, number, context))
    }

    /// Returns the hidden states of the first token of each sequence after the last layer.
    ///
    /// The last layer computes only keys and values for all other tokens.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    ///
    /// # Panics
    /// If the encoder has no layers.
    pub fn forward_first(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        let (last, below) = self.layer.split_last().expect("an encoder has layers");
        let layers = below.iter().enumerate();
        let x = layers.fold(hidden_states, |x, (number, layer)| layer.forward(x, layout, number, context));
        last.forward_first(x, layout, below.len(), context)
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        self.layer.iter_mut().enumerate().flat_map(|(number, layer)| {
            let layers = layer.linear_layers().into_iter();
            layers.map(move |(path, linear)| (format!("layer.{number}.{path}"), linear))
        })
    }
}
