#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod counter;
mod cpu;
mod dropout;
mod extension;
mod layout;
pub mod reference;

pub use counter::mix64;
pub use dropout::{DropoutSite, DropoutStream, dropout, dropout_mask};
pub use layout::SequenceLayout;
// Every other operation is still its reference; a faster one takes its name here and is tested against it.
pub use reference::{add_layer_norm, attention, bias_gelu, embeddings, layer_norm, linear};
