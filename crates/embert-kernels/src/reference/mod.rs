//! Every operation as a composition of Burn primitives: differentiable on every backend, fused lazily on GPUs,
//! and what faster implementations are tested against.

mod attention;
mod dropout;
mod embeddings;
mod gelu;
mod layer_norm;
mod linear;

pub use attention::attention;
pub(crate) use dropout::dropout_mask;
#[cfg(feature = "flex")]
pub(crate) use dropout::{COLUMN_STEP, MIX, threshold};
pub use embeddings::embeddings;
pub use gelu::bias_gelu;
pub use layer_norm::{add_layer_norm, layer_norm};
pub use linear::linear;
