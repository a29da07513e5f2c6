//! The key `model_type` of a recipe: an architecture by its `model_type` in config.json.

use std::borrow::Cow;

use embert_model::{ARCHITECTURES, Architecture, BERT};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An architecture of embert-model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub(crate) struct ModelType(pub(crate) &'static Architecture);

impl Default for ModelType {
    fn default() -> Self {
        Self(&BERT)
    }
}

impl TryFrom<String> for ModelType {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let known = ARCHITECTURES.map(|architecture| format!("`{}`", architecture.model_type)).join(" or ");
        let unknown = || format!("unknown variant `{name}`, expected {known}");
        Architecture::of_model_type(&name).map(Self).ok_or_else(unknown)
    }
}

impl From<ModelType> for &'static str {
    fn from(ModelType(architecture): ModelType) -> Self {
        architecture.model_type
    }
}

impl JsonSchema for ModelType {
    fn schema_name() -> Cow<'static, str> {
        "ModelType".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let names = ARCHITECTURES.map(|architecture| architecture.model_type);
        json_schema!({ "type": "string", "enum": names })
    }
}
