//! Integration tests: files, fixtures written by transformers, and properties of batches.

mod added_tokens;
mod batches;
mod families;
mod fixtures;
mod malformed;
mod pairs;
mod parity;
mod saving;
