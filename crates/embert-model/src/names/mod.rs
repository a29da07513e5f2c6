//! Hugging Face's names of tensors: module path <-> name in a checkpoint.

mod distilbert;
mod part;
mod peft;
mod walk;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

pub use part::Part;
pub(crate) use peft::{adapted_module, is_adapter, is_of_peft_wrapper, lora_a_name, peft_head, peft_name};
pub use walk::{ParameterMapper, ParameterVisitor, map_parameters, visit_parameters};

/// The name that `transformers`, or PEFT for an adapter's, gives the parameter at a module path.
///
/// ```
/// let path = "bert.encoder.layer.0.attention.self_attention.query.weight";
/// assert_eq!(embert_model::names::hugging_face_name(path), "bert.encoder.layer.0.attention.self.query.weight");
/// ```
pub fn hugging_face_name(path: &str) -> String {
    if let Some((module, matrix)) = path.split_once(".lora.") {
        return peft::adapter_name(&hugging_face_name(module), matrix);
    }
    if path.starts_with("distilbert.") {
        return distilbert::hugging_face_name(path);
    }
    let name = path.split('.').map(|part| match part {
        "self_attention" => "self",
        "layer_norm" => "LayerNorm",
        part => part,
    });
    name.collect::<Vec<_>>().join(".")
}

/// The Hugging Face names of all parameters, in the order of the module.
pub(crate) fn parameter_names<M: Module>(module: &M) -> Vec<String> {
    #[derive(Default)]
    struct Names(Vec<String>);
    impl ParameterVisitor for Names {
        fn visit<const D: usize>(&mut self, path: &str, _param: &Param<Tensor<D>>) {
            self.0.push(hugging_face_name(path));
        }
    }
    let mut names = Names::default();
    visit_parameters(module, &mut names);
    names.0
}

/// The names under which older or barer checkpoints keep a tensor, the modern one first: TensorFlow's `gamma` and
/// `beta`, and the encoder saved without its prefix.
pub(crate) fn accepted_names(name: &str) -> Vec<String> {
    let mut names = vec![name.to_string()];
    if let Some(norm) = name.strip_suffix("LayerNorm.weight") {
        names.push(format!("{norm}LayerNorm.gamma"));
    }
    if let Some(norm) = name.strip_suffix("LayerNorm.bias") {
        names.push(format!("{norm}LayerNorm.beta"));
    }
    let without_prefix =
        |name: &String| name.strip_prefix("bert.").or(name.strip_prefix("distilbert.")).map(str::to_string);
    let bare = names.iter().filter_map(without_prefix).collect::<Vec<_>>();
    names.extend(bare);
    names
}

/// Whether a tensor holds no weights: the numbers of positions and token types that old versions saved.
pub(crate) fn is_buffer(name: &str) -> bool {
    name.ends_with("embeddings.position_ids") || name.ends_with("embeddings.token_type_ids")
}

/// Whether a tensor of a checkpoint belongs to the encoder, with or without its prefix. Others belong to heads.
pub(crate) fn is_of_encoder(name: &str) -> bool {
    const PARTS: [&str; 6] = ["bert.", "distilbert.", "embeddings.", "encoder.", "transformer.", "pooler."];
    PARTS.iter().any(|part| name.starts_with(part))
}

/// Whether a tensor belongs to the classifier, the only part whose shape depends on the labels.
pub(crate) fn is_of_classifier(name: &str) -> bool {
    name.starts_with("classifier.")
}

/// Whether a parameter may be new: the head's always, the pooler's in checkpoints saved without one.
pub(crate) fn may_be_initialized(name: &str) -> bool {
    ["classifier.", "pre_classifier.", "bert.pooler."].iter().any(|part| name.starts_with(part))
}

/// Whether files hold the transpose of what the module holds: PyTorch's dense layers are `[out, in]`.
pub(crate) fn is_transposed(name: &str, rank: usize) -> bool {
    rank == 2 && !name.contains("embeddings.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_names_are_accepted() {
        let names = accepted_names("bert.embeddings.LayerNorm.bias");
        let expected = [
            "bert.embeddings.LayerNorm.bias",
            "bert.embeddings.LayerNorm.beta",
            "embeddings.LayerNorm.bias",
            "embeddings.LayerNorm.beta",
        ];
        assert_eq!(names, expected);
        assert_eq!(accepted_names("classifier.weight"), ["classifier.weight"]);
    }
}
