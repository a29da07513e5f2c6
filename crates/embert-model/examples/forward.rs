//! Loads a checkpoint and prints the logits and hidden states of two texts:
//! `cargo run --release -p embert-model --example forward`.

use std::path::Path;

use burn::tensor::{Device, Int, Tensor};
use embert_kernels::SequenceLayout;
use embert_model::{AutoConfig, ForwardContext, ModelError, from_pretrained};

fn main() -> Result<(), ModelError> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tiny_bert");
    let device = Device::flex();
    let config = AutoConfig::from_dir(&directory)?;
    let model = from_pretrained(&directory, &config, 42, &device)?.complete(&directory)?;

    // Two texts of 4 and 2 token ids. A packed batch concatenates them without padding.
    let layout = SequenceLayout::packed(vec![4, 2]);
    let input_ids = Tensor::<1, Int>::from_data([2, 17, 58, 3, 2, 3], &device); // [num_tokens]

    let logits = model.forward(input_ids.clone(), &layout, ForwardContext::default()); // [batch, num_labels]
    println!("labels {:?}, logits {}", config.label_names(), logits.to_data());

    let hidden_states = model.base_model.forward(input_ids, &layout, ForwardContext::default());
    println!("hidden states of the last layer: {:?}", hidden_states.dims()); // [num_tokens, hidden]
    Ok(())
}
