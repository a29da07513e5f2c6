//! The content of a config.json. transformers opens the same content in peer.py.

use embert_model::{AutoConfig, EncoderConfig, ModelError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub(crate) struct ModelConfig {
    keys: Map<String, Value>,
    pub opened: AutoConfig,
}

impl ModelConfig {
    pub(crate) fn encoder(&self) -> &EncoderConfig {
        &self.opened.encoder
    }
}

impl TryFrom<Map<String, Value>> for ModelConfig {
    type Error = ModelError;

    fn try_from(keys: Map<String, Value>) -> Result<Self, ModelError> {
        Ok(Self { opened: AutoConfig::from_dict(keys.clone())?, keys })
    }
}

impl From<ModelConfig> for Map<String, Value> {
    fn from(config: ModelConfig) -> Self {
        config.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_written_as_it_was_read() {
        let text = r#"{"model_type":"roberta","num_hidden_layers":3,"x":null}"#;
        let config: ModelConfig = serde_json::from_str(text).expect("a RoBERTa");
        assert_eq!(config.opened.architecture.model_type, "roberta");
        assert_eq!(config.encoder().num_hidden_layers, 3);
        let written = serde_json::to_value(&config).expect("a config is JSON");
        assert_eq!(written, serde_json::from_str::<Value>(text).expect("JSON"));
    }

    #[test]
    fn an_unknown_family_is_an_error() {
        let error = serde_json::from_str::<ModelConfig>(r#"{"model_type":"gpt2"}"#).unwrap_err().to_string();
        assert!(error.starts_with("config.json: ") && error.contains("gpt2"), "{error}");
    }
}
