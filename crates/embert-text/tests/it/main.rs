//! Whole paths through the crate: files, fixtures made by transformers, and properties of batches.

mod added_tokens;
mod batches;
mod broken;
mod fixtures;
mod parity;
mod saving;
