//! The key `model_type` of a recipe: the architecture of a model with random weights, by its `model_type` in
//! config.json.

use std::borrow::Cow;

use embert_model::{ARCHITECTURES, Architecture, BERT};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An architecture of embert-model with a WordPiece tokenizer.
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
        let known = of_random_models().map(|architecture| format!("`{}`", architecture.model_type));
        let known = known.collect::<Vec<_>>().join(" or ");
        let found = of_random_models().find(|architecture| architecture.model_type == name);
        found.map(Self).ok_or_else(|| format!("unknown variant `{name}`, expected {known}"))
    }
}

/// Returns the families of models with random weights: those whose tokenizer can be trained.
fn of_random_models() -> impl Iterator<Item = &'static Architecture> {
    ARCHITECTURES.into_iter().filter(|architecture| architecture.has_word_pieces)
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
        let names = of_random_models().map(|architecture| architecture.model_type).collect::<Vec<_>>();
        json_schema!({ "type": "string", "enum": names })
    }
}
