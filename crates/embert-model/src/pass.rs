//! How a forward pass computes.

use embert_kernels::{DropoutSite, DropoutStream, Precision, SequenceLayout};

/// How a forward pass computes: by default in fp32, dropping nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pass {
    /// The precision of matrix products.
    pub precision: Precision,
    /// What is dropped; `None` at inference.
    pub dropout: Option<DropoutStream>,
}

impl Pass {
    /// The site number `site` of layer number `layer`.
    pub(crate) fn site(self, layer: usize, site: usize, rate: f64) -> Option<DropoutSite> {
        self.dropout.map(|stream| stream.site(layer, site, rate))
    }
}

/// A pass at one linear layer: its precision, and the site at which an adapter there drops out.
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
