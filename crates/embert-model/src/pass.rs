//! The settings of a forward pass, at the level of the model, a layer and a linear map.

use embert_kernels::{DropoutSite, DropoutStream, Precision, SequenceLayout};

/// The settings of a forward pass: by default fp32 without dropout.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pass {
    /// The precision of matrix products.
    pub precision: Precision,
    /// The random stream of dropout; `None` at inference.
    pub dropout: Option<DropoutStream>,
}

impl Pass {
    /// The site number `site` of layer number `layer`.
    pub(crate) fn site(self, layer: usize, site: usize, rate: f64) -> Option<DropoutSite> {
        self.dropout.map(|stream| stream.site(layer, site, rate))
    }
}

/// A pass at one layer: its number and its dropout sites, `None` when nothing is dropped.
#[derive(Clone, Copy)]
pub(crate) struct LayerPass {
    pub(crate) pass: Pass,
    pub(crate) layer: usize,
    pub(crate) attention_probs: Option<DropoutSite>,
    pub(crate) attention_output: Option<DropoutSite>,
    pub(crate) output: Option<DropoutSite>,
}

/// The sites of a layer's adapters. The layer's own sites have lower numbers.
#[derive(Clone, Copy)]
pub(crate) enum AdapterSite {
    Query = 3,
    Key,
    Value,
    AttentionOutput,
    Intermediate,
    Output,
}

impl LayerPass {
    /// The pass at one linear layer, whose input has rows of this layout.
    pub(crate) fn at(self, site: AdapterSite, layout: &SequenceLayout) -> LinearPass<'_> {
        LinearPass { pass: self.pass, layer: self.layer, site: site as usize, layout: Some(layout) }
    }
}

/// A pass at one linear layer: its precision, and the dropout site of its adapter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinearPass<'a> {
    pub(crate) pass: Pass,
    /// The layer's number, as in [`Pass::site`].
    pub(crate) layer: usize,
    /// The site's number, as in [`Pass::site`].
    pub(crate) site: usize,
    /// The layout of the rows; `None` for one row for each sequence.
    pub(crate) layout: Option<&'a SequenceLayout>,
}
