//! Settings of a forward pass for the model, one layer and one linear layer.

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

/// The forward context of one layer: its number and its dropout sites.
#[derive(Clone, Copy)]
pub(crate) struct LayerContext {
    pub(crate) forward: ForwardContext,
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

impl LayerContext {
    /// Returns the context of one linear layer. `layout` describes the rows of its input.
    pub(crate) fn at(self, site: AdapterSite, layout: &SequenceLayout) -> LinearContext<'_> {
        LinearContext { forward: self.forward, layer: self.layer, site: site as usize, layout: Some(layout) }
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
