//! Low-rank adapters: y + s·dropout(x)·A·B (Hu et al., 2021); W + s·A·B is never made while a model trains.

mod adapter_config;
mod adapter_model;
pub(crate) mod config;
mod count;
mod insert;
pub(crate) mod low_rank;
mod matching;
mod merge;
pub(crate) mod names;
mod trained;

pub use adapter_model::{ADAPTER_MODEL_CONFIG, Adapter, save_adapter};
pub use config::{LoraBias, LoraConfig, ModuleNames};
pub use count::{ParameterCount, count_parameters};
pub use insert::add_adapter;
pub use low_rank::Lora;
pub use merge::merge_adapter;
