//! LoRA adapters: y = xW + b + s·dropout(x)·A·B (Hu et al., 2021). Training with
//! plain LoRA never computes W + s·A·B; DoRA computes its norms.

mod adapter_config;
mod adapter_model;
pub(crate) mod config;
mod conversion;
mod count;
mod decomposition;
pub(crate) mod dora;
mod init_lora_weights;
mod initial_values;
mod inject;
pub(crate) mod low_rank;
mod matching;
mod matrices;
mod merge;
pub(crate) mod names;
mod target_names;
mod trained_parameters;

pub use adapter_model::{ADAPTER_MODEL_CONFIG, Adapter, save_adapter};
pub use config::{LoraBias, LoraConfig, ModuleNames};
pub use count::{ParameterCount, count_parameters};
pub use init_lora_weights::InitLoraWeights;
pub use inject::add_adapter;
pub use low_rank::Lora;
pub use merge::merge_adapter;
