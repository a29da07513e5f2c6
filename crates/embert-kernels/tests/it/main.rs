//! Integration tests: operations against finite differences, against their references, and in every layout.

mod attention;
mod compare;
mod cpu;
#[cfg(feature = "cube")]
mod cube;
mod disentangled_attention;
mod embeddings;
mod gradients;
mod half;
mod layouts;
mod optimizer;
mod pre_norm;
