//! Hugging Face's tensor names of a family: module path <-> name, and the part of the model that a name is in.

use super::architecture::Architecture;
use super::part::Part;
use crate::lora::names::adapter_name;

/// Path of the list of layers in [`AutoModel`](crate::AutoModel).
const LAYERS: &str = "encoder.layer";
/// Path of the embeddings there, and their name in every family.
const EMBEDDINGS: &str = "embeddings";
/// Path of the pooler there, and its name in every family that has one.
const POOLER: &str = "pooler";

/// Tensors without weights: the numbers of positions and token types that old versions saved.
const BUFFERS: [&str; 2] = ["embeddings.position_ids", "embeddings.token_type_ids"];

impl Architecture {
    /// Returns the path of a parameter from that of its module: the prefix, the list of layers and the head have the names
    /// of the family, everything inside a layer has ours.
    pub(crate) fn path(&self, module: &str) -> String {
        let dense = self.head.dense.map(|(name, _)| ("head.dense", name));
        for (field, name) in dense.into_iter().chain([("head.classifier", self.head.classifier)]) {
            if let Some(parameter) = module.strip_prefix(field) {
                return format!("{name}{parameter}");
            }
        }
        let inner = module.strip_prefix("base_model.").unwrap_or(module);
        format!("{}.{}", self.base_model_prefix, inner.replacen(LAYERS, self.layers, 1))
    }

    /// The name in `transformers`, or in PEFT for an adapter, of the parameter with this path.
    pub(crate) fn name(&self, path: &str) -> String {
        if let Some((linear, matrix)) = path.split_once(".lora.") {
            return adapter_name(&self.name(linear), matrix);
        }
        match self.renames.iter().find(|(ours, _)| path.contains(ours)) {
            Some((ours, theirs)) => path.replace(ours, theirs),
            None => path.to_string(),
        }
    }

    /// The part of the model that a tensor is in, with or without the prefix of the base model; `None` for a name that the
    /// family does not know.
    ///
    /// ```
    /// use embert_model::{BERT, Part};
    ///
    /// assert_eq!(BERT.part_of("bert.encoder.layer.11.output.dense.bias"), Some(Part::Layer(11)));
    /// assert_eq!(BERT.part_of("embeddings.word_embeddings.weight"), Some(Part::Embeddings));
    /// assert_eq!(BERT.part_of("bert.pooler.dense.weight"), Some(Part::Head));
    /// assert_eq!(BERT.part_of("cls.predictions.bias"), None);
    /// ```
    pub fn part_of(&self, name: &str) -> Option<Part> {
        let inner = self.without_prefix(name).unwrap_or(name);
        if let Some(layer) = inner.strip_prefix(self.layers).and_then(|rest| rest.strip_prefix('.')) {
            return layer.split('.').next()?.parse().ok().map(Part::Layer);
        }
        let is_in = |module: &str| inner.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'));
        let dense = self.head.dense.map(|(name, _)| name);
        let mut head =
            [dense, Some(self.head.classifier), self.has_pooler.then_some("pooler.dense")].into_iter();
        if is_in(EMBEDDINGS) {
            Some(Part::Embeddings)
        } else {
            head.any(|module| module.is_some_and(is_in)).then_some(Part::Head)
        }
    }

    /// The names under which older or barer checkpoints have a tensor, the modern one first: TensorFlow's `gamma` and
    /// `beta`, and the base model saved without its prefix.
    pub(crate) fn accepted_names(&self, name: &str) -> Vec<String> {
        let mut names = vec![name.to_string()];
        for (new, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")] {
            names.extend(name.strip_suffix(new).map(|norm| format!("{norm}{old}")));
        }
        let bare = names.iter().filter_map(|name| self.without_prefix(name)).map(String::from);
        names.extend(bare.collect::<Vec<_>>());
        names
    }

    /// Returns true if a tensor belongs to the base model, with or without its prefix. Others belong to heads.
    pub(crate) fn is_of_base_model(&self, name: &str) -> bool {
        let module = name.split('.').next();
        let layers = self.layers.split('.').next();
        self.without_prefix(name).is_some()
            || module == layers
            || module == Some(EMBEDDINGS)
            || self.has_pooler && module == Some(POOLER)
    }

    /// Returns true if a parameter belongs to the last linear layer, the only one whose shape depends on the labels.
    pub(crate) fn is_of_classifier(&self, name: &str) -> bool {
        name.strip_prefix(self.head.classifier).is_some_and(|rest| rest.starts_with('.'))
    }

    fn without_prefix<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.base_model_prefix)?.strip_prefix('.')
    }
}

/// Returns true if a tensor of a checkpoint holds no weights.
pub(crate) fn is_buffer(name: &str) -> bool {
    BUFFERS.iter().any(|buffer| name.ends_with(buffer))
}

/// Returns true if files hold the transpose of what the module holds: PyTorch's dense layers are `[out, in]`.
pub(crate) fn is_transposed(name: &str, rank: usize) -> bool {
    rank == 2 && !name.contains("embeddings.")
}

#[cfg(test)]
mod tests {
    use crate::{BERT, DISTILBERT};

    #[test]
    fn legacy_names_are_accepted() {
        let names = BERT.accepted_names("bert.embeddings.LayerNorm.bias");
        let expected = [
            "bert.embeddings.LayerNorm.bias",
            "bert.embeddings.LayerNorm.beta",
            "embeddings.LayerNorm.bias",
            "embeddings.LayerNorm.beta",
        ];
        assert_eq!(names, expected);
        assert_eq!(BERT.accepted_names("classifier.weight"), ["classifier.weight"]);
    }

    // Optimizer states and random weights of earlier versions are keyed by these paths.
    #[test]
    fn a_place_in_the_module_has_a_path_and_a_name() {
        let cases = [
            (
                &BERT,
                "base_model.encoder.layer.10.attention.self_attention.query.lora.lora_a",
                "bert.encoder.layer.10.attention.self_attention.query.lora.lora_a",
                "bert.encoder.layer.10.attention.self.query.lora_A.weight",
            ),
            (
                &BERT,
                "embeddings.layer_norm.bias",
                "bert.embeddings.layer_norm.bias",
                "bert.embeddings.LayerNorm.bias",
            ),
            (&BERT, "pooler.dense.bias", "bert.pooler.dense.bias", "bert.pooler.dense.bias"),
            (&BERT, "head.classifier.bias", "classifier.bias", "classifier.bias"),
            (
                &DISTILBERT,
                "encoder.layer.1.attention.output.layer_norm.weight",
                "distilbert.transformer.layer.1.attention.output.layer_norm.weight",
                "distilbert.transformer.layer.1.sa_layer_norm.weight",
            ),
            (
                &DISTILBERT,
                "base_model.encoder.layer.1.output.dense.weight",
                "distilbert.transformer.layer.1.output.dense.weight",
                "distilbert.transformer.layer.1.ffn.lin2.weight",
            ),
            (&DISTILBERT, "head.dense.weight", "pre_classifier.weight", "pre_classifier.weight"),
        ];
        for (architecture, module, path, name) in cases {
            assert_eq!((architecture.path(module).as_str(), architecture.name(path).as_str()), (path, name));
        }
    }
}
