//! Supported model families. Only this folder knows the tensor names and config keys of a family.

mod albert;
mod architecture;
mod bert;
mod camembert;
pub(crate) mod config_keys;
mod deberta_v2;
mod distilbert;
mod electra;
mod model_part;
mod modernbert;
mod mpnet;
pub(crate) mod names;
mod roberta;
mod xlm_roberta;

pub use albert::ALBERT;
pub(crate) use architecture::Activation;
pub use architecture::Architecture;
pub use bert::BERT;
pub use camembert::CAMEMBERT;
pub use deberta_v2::DEBERTA_V2;
pub use distilbert::DISTILBERT;
pub use electra::ELECTRA;
pub use model_part::ModelPart;
pub use modernbert::MODERNBERT;
pub(crate) use modernbert::NewWeights;
pub use mpnet::MPNET;
pub use roberta::ROBERTA;
pub use xlm_roberta::XLM_ROBERTA;

/// All supported families.
pub static ARCHITECTURES: [&Architecture; 10] = [
    &BERT,
    &DISTILBERT,
    &ROBERTA,
    &XLM_ROBERTA,
    &CAMEMBERT,
    &ELECTRA,
    &ALBERT,
    &MPNET,
    &DEBERTA_V2,
    &MODERNBERT,
];

impl Architecture {
    /// Returns the family with this `model_type`.
    pub fn of_model_type(model_type: &str) -> Option<&'static Self> {
        ARCHITECTURES.into_iter().find(|architecture| architecture.model_type == model_type)
    }

    /// Returns the supported values of `model_type` as a phrase: `bert, distilbert or roberta`.
    pub(crate) fn model_types() -> String {
        let [first @ .., last] = ARCHITECTURES.map(|architecture| architecture.model_type);
        format!("{} or {last}", first.join(", "))
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
