#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]

mod add_residual;
mod attention;
#[cfg(any(feature = "cube", feature = "flex"))]
mod autodiff;
mod backend;
mod constant_weights;
#[cfg(feature = "flex")]
#[expect(unsafe_code, reason = "kernels read and write memory by pointers")]
mod cpu;
mod cross_entropy;
#[cfg(feature = "cube")]
mod cube;
mod disentangled_attention;
mod dropout;
mod embeddings;
mod first_tokens;
mod geglu;
mod gelu;
mod hash;
mod layer_norm;
mod layout;
mod linear;
mod low_rank;
mod mean_pooling;
mod optimizer;
mod precision;
pub mod reference;
mod rotary_embedding;
mod table_rows;

pub use add_residual::add_residual;
pub use attention::{AttentionOptions, attention, first_token_attention};
pub use backend::{is_asynchronous, supports_bf16};
pub use constant_weights::with_constant_weights;
#[cfg(feature = "flex")]
pub use cpu::{ExitOutOfMemory, instructions, keep_freed_memory, release_freed_memory};
pub use cross_entropy::cross_entropy_sum;
#[cfg(feature = "cube")]
pub use cube::tensor_cores::gpu_instructions;
pub use disentangled_attention::{RelativePositions, RelativeProjections, disentangled_attention};
pub use dropout::{DropoutSite, DropoutStream, dropout};
pub use embeddings::embeddings;
pub use first_tokens::first_tokens;
pub use geglu::{geglu, geglu_linear};
pub use gelu::{GeluApproximation, bias_gelu, bias_gelu_linear};
pub use hash::{FNV_OFFSET, fnv1a, mix64};
pub use layer_norm::{add_layer_norm, layer_norm};
pub use layout::SequenceLayout;
pub use linear::{key_value, linear, query_key_value};
pub use low_rank::add_low_rank;
pub use mean_pooling::mean_pooling;
pub use optimizer::{
    AdamWParameter, AdamWStep, Moments, RowsOfStep, adamw, adamw_all, adamw_rows, sum_of_squares,
    sum_of_squares_of,
};
pub use precision::{Precision, to_fp32};
pub use rotary_embedding::rotary_embedding;
pub use table_rows::{TableRows, prefers_table_rows};
