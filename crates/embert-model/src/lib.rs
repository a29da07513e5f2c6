#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]

mod attention;
mod auto;
mod auto_config;
mod auto_model;
mod bert;
mod blueprint;
mod classification;
mod config;
mod config_check;
mod config_file;
mod config_labels;
mod distilbert;
mod distilbert_config;
mod embeddings;
mod encoder;
mod encoder_config;
mod error;
mod foreign_weights;
mod initialize;
mod layer;
mod layer_norm;
mod lfs_pointer;
mod linear;
mod lora;
pub mod names;
mod pass;
mod pooler;
mod pretrained;
mod safetensors_file;
mod save;
mod trainable;
mod weights;

pub use attention::{BertAttention, BertSelfAttention, BertSelfOutput};
pub use auto::AutoModelForSequenceClassification;
pub use auto_config::AutoConfig;
pub use auto_model::AutoModel;
pub use bert::{BertModel, BertModelOutput};
pub use blueprint::{ParameterShape, parameter_shapes};
pub use classification::BertForSequenceClassification;
pub use config::BertConfig;
pub use config_labels::LabelFault;
pub use distilbert::{DistilBertForSequenceClassification, DistilBertModel};
pub use distilbert_config::DistilBertConfig;
pub use embeddings::{BertEmbeddings, Embedding};
pub use encoder::BertEncoder;
pub use error::ModelError;
pub use layer::{BertIntermediate, BertLayer, BertOutput};
pub use layer_norm::LayerNorm;
pub use linear::{Linear, LinearLayers};
pub use lora::{
    ADAPTER_MODEL_CONFIG, Adapter, Lora, LoraBias, LoraConfig, ModuleNames, ParameterCount, add_adapter,
    count_parameters, merge_adapter, save_adapter,
};
pub use pass::Pass;
pub use pooler::BertPooler;
pub use pretrained::{Pretrained, from_pretrained, from_pretrained_with_new_head, has_classification_head};
pub use safetensors_file::write_safetensors;
pub use save::save_pretrained;
pub use trainable::set_trainable;
