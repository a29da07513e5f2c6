#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods))]
#![deny(missing_docs)]

mod architectures;
mod attention;
mod auto_config;
mod auto_model;
mod classification;
mod config_file;
mod config_labels;
mod deberta_config;
mod device_values;
mod embeddings;
mod encoder;
mod encoder_config;
mod encoder_layer;
mod error;
mod forward_context;
mod head;
mod initialize;
mod layer;
mod layer_norm;
mod lfs_pointer;
mod linear;
mod loading;
mod lora;
mod modernbert_config;
mod modernbert_layer;
mod parameters;
mod pooler;
mod pretrained;
mod problem_type;
mod pytorch_file;
mod relative_attention;
mod relative_bias;
mod safetensors_file;
mod safetensors_header;
mod save;
mod stored_tensor;
mod transpose;
mod unsupported_formats;
mod weights;

pub use architectures::{
    ALBERT, ARCHITECTURES, Architecture, BERT, CAMEMBERT, DEBERTA_V2, DISTILBERT, ELECTRA, MODERNBERT, MPNET,
    ModelPart, ROBERTA, XLM_ROBERTA,
};
pub use attention::{BertAttention, BertSelfAttention, BertSelfOutput};
pub use auto_config::AutoConfig;
pub use auto_model::AutoModel;
pub use classification::AutoModelForSequenceClassification;
pub use deberta_config::{DebertaConfig, PosAttType};
pub use device_values::values_in_pieces;
pub use embeddings::{BertEmbeddings, Embedding};
pub use encoder::BertEncoder;
pub use encoder_config::{EncoderConfig, HiddenAct, Positions};
pub use encoder_layer::EncoderLayer;
pub use error::ModelError;
pub use forward_context::{EncoderContext, ForwardContext};
pub use head::ClassificationHead;
pub use layer::{BertIntermediate, BertLayer, BertOutput};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use loading::Pretrained;
pub use lora::{
    ADAPTER_MODEL_CONFIG, Adapter, InitLoraWeights, Lora, LoraBias, LoraConfig, ModuleNames, ParameterCount,
    add_adapter, count_parameters, merge_adapter, save_adapter,
};
pub use modernbert_config::{ClassifierPooling, LayerType, ModernBertConfig};
pub use modernbert_layer::{ModernBertAttention, ModernBertLayer, ModernBertMlp};
pub use parameters::{
    Parameter, ParameterMapper, ParameterVisitor, PreTrainedModel, map_parameters, parameters, set_trainable,
    visit_parameters,
};
pub use pooler::BertPooler;
pub use pretrained::{from_pretrained, from_pretrained_with_new_head, has_classification_head};
pub use problem_type::{ProblemType, UnknownProblemType};
pub use safetensors_file::{TensorToWrite, write_f32, write_safetensors};
pub use save::save_pretrained;
