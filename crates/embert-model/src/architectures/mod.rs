//! Supported model families. Only this folder knows the tensor names and config keys of a family.

mod architecture;
mod bert;
pub(crate) mod config_keys;
mod distilbert;
mod model_part;
pub(crate) mod names;

pub(crate) use architecture::Activation;
pub use architecture::Architecture;
pub use bert::BERT;
pub use distilbert::DISTILBERT;
pub use model_part::ModelPart;

/// All supported families.
pub static ARCHITECTURES: [&Architecture; 2] = [&BERT, &DISTILBERT];

impl Architecture {
    /// Returns the family with this `model_type`.
    pub fn of_model_type(model_type: &str) -> Option<&'static Self> {
        ARCHITECTURES.into_iter().find(|architecture| architecture.model_type == model_type)
    }

    /// Returns the family of a class in transformers, such as `BertModel` or `DistilBertForMaskedLM`.
    pub(crate) fn of_class(class: &str) -> Option<&'static Self> {
        let suffixes = ["For", "LMHead", "PreTrained", "Model"];
        let end = suffixes.iter().filter_map(|suffix| class.find(suffix)).min().unwrap_or(class.len());
        let is_its_class = |architecture: &&Self| {
            architecture.classifier_class.strip_prefix(&class[..end]) == Some("ForSequenceClassification")
        };
        ARCHITECTURES.into_iter().find(is_its_class)
    }
}
