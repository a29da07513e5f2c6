#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]

mod constant_weights;
mod counter;
#[cfg(feature = "flex")]
#[expect(unsafe_code, reason = "kernels read and write memory by pointers")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod dropout;
#[cfg(feature = "flex")]
#[expect(clippy::too_many_arguments, reason = "query, key and value are three maps of one input")]
mod extension;
mod layout;
mod operations;
mod optimizer;
mod precision;
mod queue;
pub mod reference;

pub use constant_weights::with_constant_weights;
pub use counter::mix64;
#[cfg(feature = "flex")]
pub use cpu::{ExitOutOfMemory, instructions, keep_freed_memory, release_freed_memory};
pub use dropout::{DropoutSite, DropoutStream};
pub use layout::SequenceLayout;
pub use operations::{
    add_layer_norm, add_low_rank, attention, bias_gelu, bias_gelu_linear, cross_entropy_sum, dropout,
    embeddings, first_token_attention, first_tokens, key_value, layer_norm, linear, query_key_value,
};
pub use optimizer::{AdamWStep, Moments, adamw, sum_of_squares};
pub use precision::Precision;
pub use queue::is_asynchronous;
