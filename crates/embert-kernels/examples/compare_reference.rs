//! Compares fused attention with its reference on packed sequences: largest difference and time.
//!
//! Run: `cargo run --release -p embert-kernels --example compare_reference`

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use embert_kernels::{
    AttentionOptions, DropoutStream, Precision, SequenceLayout, attention, instructions, reference,
};

fn main() {
    let (num_heads, hidden) = (12, 768); // as in BERT-base
    let device = Device::flex();
    let layout = SequenceLayout::packed(vec![37, 128, 5, 90]);
    let shape = [layout.num_tokens(), 3 * hidden];
    let qkv = Tensor::<2>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let dropout = Some(DropoutStream { seed: 42, step: 0, first_sequence: 0 }.site(0, 0, 0.1));
    let options = AttentionOptions { num_heads, window: None, dropout, precision: Precision::Fp32 };

    println!("{} tokens, {}", layout.num_tokens(), instructions(Precision::Fp32));
    let start = Instant::now();
    let fused = attention(qkv.clone(), None, &layout, options);
    println!("fused:     {:?}", start.elapsed());
    let start = Instant::now();
    let expected = reference::attention(qkv, None, &layout, options);
    println!("reference: {:?}", start.elapsed());
    println!("largest difference: {:.1e}", (fused - expected).abs().max().into_scalar::<f32>());
}
