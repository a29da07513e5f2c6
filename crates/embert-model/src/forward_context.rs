//! Settings of a forward pass for the model, the encoder, one layer and one linear layer.

use burn::tensor::Tensor;
use embert_kernels::{DropoutSite, DropoutStream, Precision, SequenceLayout};

/// Precision and dropout of a forward pass. The default is fp32 without dropout.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ForwardContext {
    /// The precision of matrix products.
    pub precision: Precision,
    /// The random stream of dropout; `None` turns dropout off.
    pub dropout: Option<DropoutStream>,
}

impl ForwardContext {
    /// Returns the dropout site number `site` of layer number `layer`; `None` if dropout is off.
    pub(crate) fn site(self, layer: usize, site: usize, rate: f64) -> Option<DropoutSite> {
        self.dropout.map(|stream| stream.site(layer, site, rate))
    }
}

/// The forward context of an encoder: what its layers have in common.
#[derive(Debug, Clone)]
pub struct EncoderContext<'a> {
    /// Precision and dropout.
    pub forward: ForwardContext,
    /// The rows of the hidden states.
    pub layout: &'a SequenceLayout,
    /// What the attention of all layers reads for relative positions: in DeBERTa the relative embeddings after their
    /// LayerNorm, `[2 · span, hidden]`; in MPNet the bias of each distance, `[2 · longest − 1, heads]`; else `None`.
    pub relative: Option<Tensor<2>>,
}

/// The forward context of one layer: its number and its dropout sites.
#[derive(Clone, Copy)]
pub(crate) struct LayerContext<'a> {
    pub(crate) forward: ForwardContext,
    /// The rows of the input.
    pub(crate) layout: &'a SequenceLayout,
    /// See [`EncoderContext::relative`].
    pub(crate) relative: Option<&'a Tensor<2>>,
    pub(crate) layer: usize,
    pub(crate) attention_probs: Option<DropoutSite>,
    pub(crate) attention_output: Option<DropoutSite>,
    pub(crate) output: Option<DropoutSite>,
}

/// Dropout sites of a layer's LoRA adapters. Sites 0 to 2 belong to the layer itself.
#[derive(Clone, Copy)]
pub(crate) enum AdapterSite {
    Query = 3,
    Key,
    Value,
    AttentionOutput,
    Intermediate,
    Output,
}

impl<'a> LayerContext<'a> {
    /// Returns the context of layer number `layer`. The rates are those after the softmax of attention, after its
    /// output projection, and in the feed-forward network.
    pub(crate) fn new(encoder: &'a EncoderContext<'_>, layer: usize, rates: [f64; 3]) -> Self {
        let EncoderContext { forward, layout, ref relative } = *encoder;
        let [attention_probs, attention_output, output] =
            std::array::from_fn(|site| forward.site(layer, site, rates[site]));
        let relative = relative.as_ref();
        Self { forward, layout, relative, layer, attention_probs, attention_output, output }
    }

    /// Returns the context of one linear layer.
    pub(crate) fn at(self, site: AdapterSite) -> LinearContext<'a> {
        let Self { forward, layer, layout, .. } = self;
        LinearContext { forward, layer, site: site as usize, layout: Some(layout) }
    }
}

/// The forward context of one linear layer: its precision and the dropout site of its adapter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearContext<'a> {
    pub(crate) forward: ForwardContext,
    /// The layer's number, as in [`ForwardContext::site`].
    pub(crate) layer: usize,
    /// The site's number, as in [`ForwardContext::site`].
    pub(crate) site: usize,
    /// The layout of the rows; `None` if each sequence has one row.
    pub(crate) layout: Option<&'a SequenceLayout>,
}
