//! The layers, one after another.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::SequenceLayout;

use crate::encoder_config::EncoderConfig;
use crate::layer::BertLayer;
use crate::linear::Linear;
use crate::pass::Pass;

/// The layers, one after another.
#[derive(Module, Debug)]
pub struct BertEncoder {
    /// From the embeddings upwards.
    pub layer: Vec<BertLayer>,
}

impl BertEncoder {
    pub(crate) fn zeros(config: &EncoderConfig, device: &Device) -> Self {
        Self { layer: (0..config.num_hidden_layers).map(|_| BertLayer::zeros(config, device)).collect() }
    }

    /// The hidden states after each layer, as they are made; the last is the encoder's output.
    ///
    /// # Shapes
    /// - `hidden_states`, each item: `[num_tokens, hidden]`
    pub fn forward_each<'a>(
        &'a self,
        hidden_states: Tensor<2>,
        layout: &'a SequenceLayout,
        pass: Pass,
    ) -> impl Iterator<Item = Tensor<2>> + 'a {
        self.layer.iter().enumerate().scan(hidden_states, move |x, (number, layer)| {
            *x = layer.forward(x.clone(), layout, number, pass);
            Some(x.clone())
        })
    }

    /// # Shapes
    /// - `hidden_states`, output: `[num_tokens, hidden]`
    pub fn forward(&self, hidden_states: Tensor<2>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let layers = self.layer.iter().enumerate();
        layers.fold(hidden_states, |x, (number, layer)| layer.forward(x, layout, number, pass))
    }

    /// What [`forward`](Self::forward) gives each sequence's first token: the last layer computes no other.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`
    /// - output: `[batch, hidden]`
    pub fn forward_first(&self, hidden_states: Tensor<2>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let (last, below) = self.layer.split_last().expect("an encoder has layers");
        let layers = below.iter().enumerate();
        let x = layers.fold(hidden_states, |x, (number, layer)| layer.forward(x, layout, number, pass));
        last.forward_first(x, layout, below.len(), pass)
    }

    /// The linear layers by module path.
    pub(crate) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        self.layer.iter_mut().enumerate().flat_map(|(number, layer)| {
            let layers = layer.linear_layers().into_iter();
            layers.map(move |(path, linear)| (format!("layer.{number}.{path}"), linear))
        })
    }
}
