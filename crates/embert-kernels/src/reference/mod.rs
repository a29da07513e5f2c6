//! Every operation as a composition of Burn primitives: differentiable on every backend, fused lazily on GPUs,
//! and what faster implementations are tested against.

mod attention;
mod cross_entropy;
mod dropout;
mod embeddings;
mod gelu;
mod layer_norm;
mod linear;
mod low_rank;
mod optimizer;
mod rows;

pub use attention::{attention, first_token_attention};
pub use cross_entropy::cross_entropy_sum;
#[cfg(any(feature = "cube", feature = "flex"))]
pub(crate) use dropout::{COLUMN_STEP, MIX, threshold};
pub use dropout::{dropout, dropout_mask};
pub use embeddings::embeddings;
pub use gelu::{bias_gelu, bias_gelu_linear};
pub use layer_norm::{add_layer_norm, layer_norm};
pub use linear::{linear, side_by_side};
pub use low_rank::add_low_rank;
pub use optimizer::{adamw, sum_of_squares};
pub use rows::first_tokens;
