//! Attention on tensor cores, in bf16, fp16 and TF32 (FlashAttention-2; Dao, 2023).
//!
//! Each plane (warp) has sixteen queries, or sixteen keys in the backward pass of keys and values. All products are
//! `mma` instructions with sums in fp32. Scores and probabilities stay in registers: the layout of a sum
//! is that of the left operand of the next product. Only tiles of the other operand are in shared memory.

mod forward;
mod fragment;
mod key_value_gradient;
mod launch;
mod query_gradient;
mod row;
mod tile;

pub(super) use launch::{backward, fits, forward, is_supported};
