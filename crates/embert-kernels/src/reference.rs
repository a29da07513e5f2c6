//! Reference implementations: each operation as a composition of Burn's primitives.
//!
//! They are differentiable on every backend, and Burn fuses them on GPUs. The tests compare the faster
//! implementations with them.

pub use crate::add_residual::reference::add_residual;
pub use crate::attention::reference::{attention, first_token_attention};
pub use crate::cross_entropy::reference::cross_entropy_sum;
pub use crate::disentangled_attention::reference::disentangled_attention;
pub use crate::dropout::reference::{dropout, dropout_mask};
pub use crate::embeddings::reference::embeddings;
pub use crate::first_tokens::reference::first_tokens;
pub use crate::geglu::reference::{geglu, geglu_linear};
pub use crate::gelu::reference::{bias_gelu, bias_gelu_linear};
pub use crate::layer_norm::reference::{add_layer_norm, layer_norm};
pub use crate::linear::reference::{concatenated_linear, linear};
pub use crate::low_rank::reference::add_low_rank;
pub use crate::mean_pooling::reference::mean_pooling;
pub use crate::optimizer::reference::{adamw, adamw_rows, sum_of_squares};
pub use crate::rotary_embedding::reference::rotary_embedding;
