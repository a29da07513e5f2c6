//! The supported families of encoders. Nothing outside this folder knows a family's tensor names and config keys.

mod architecture;
mod bert;
mod distilbert;
pub(crate) mod keys;
pub(crate) mod names;
mod part;

pub(crate) use architecture::Activation;
pub use architecture::Architecture;
pub use bert::BERT;
pub use distilbert::DISTILBERT;
pub use part::Part;

/// Every supported family.
pub static ARCHITECTURES: [&Architecture; 2] = [&BERT, &DISTILBERT];

impl Architecture {
    /// The family with this `model_type`.
    pub fn of_model_type(model_type: &str) -> Option<&'static Self> {
        ARCHITECTURES.into_iter().find(|architecture| architecture.model_type == model_type)
    }

    /// The family of a class in `transformers`, such as `BertModel` or `DistilBertForMaskedLM`.
    pub(crate) fn of_class(class: &str) -> Option<&'static Self> {
        let ends = ["For", "LMHead", "PreTrained", "Model"];
        let end = ends.iter().filter_map(|end| class.find(end)).min().unwrap_or(class.len());
        let is_its_class = |architecture: &&Self| {
            architecture.classifier_class.strip_prefix(&class[..end]) == Some("ForSequenceClassification")
        };
        ARCHITECTURES.into_iter().find(is_its_class)
    }
}
