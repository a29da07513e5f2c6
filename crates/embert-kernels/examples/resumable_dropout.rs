//! Shows that dropout masks depend neither on the layout of a batch nor on earlier steps.
//!
//! Run: `cargo run --release -p embert-kernels --example resumable_dropout`

use burn::tensor::{Device, Tensor};
use embert_kernels::{DropoutStream, SequenceLayout, dropout};

/// Drops half of a tensor of ones, `[num_tokens, 4]`.
fn drop_ones(layout: &SequenceLayout, step: u64, first_sequence: usize) -> Vec<f32> {
    let ones = Tensor::<2>::ones([layout.num_tokens(), 4], &Device::flex());
    let site = DropoutStream { seed: 42, step, first_sequence }.site(0, 0, 0.5);
    dropout(ones, Some(layout), Some(site)).into_data().iter::<f32>().collect()
}

fn main() {
    let batch = drop_ones(&SequenceLayout::packed(vec![2, 3]), 7, 0);
    println!("step 7, packed:           {batch:?}");
    let padded = drop_ones(&SequenceLayout::padded(vec![2, 3], 3), 7, 0);
    let tokens = [&padded[..2 * 4], &padded[3 * 4..]].concat(); // without the padding row
    println!("step 7, padded:           {tokens:?}");
    let (first, second) = (SequenceLayout::packed(vec![2]), SequenceLayout::packed(vec![3]));
    let micro_batches = [drop_ones(&first, 7, 0), drop_ones(&second, 7, 1)].concat();
    println!("step 7, 2 micro-batches:  {micro_batches:?}");
    assert!(batch == tokens && batch == micro_batches);
    println!("step 8, packed:           {:?}", drop_ones(&SequenceLayout::packed(vec![2, 3]), 8, 0));
}
