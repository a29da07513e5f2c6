//! How a forward pass computes.

use embert_kernels::{DropoutSite, DropoutStream, Precision};

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
