//! Mapping between module paths and Hugging Face tensor names, and the model part of each tensor.

use super::architecture::{Architecture, Head};
use super::model_part::ModelPart;
use crate::lora::names::adapter_name;

/// Path of the layers in [`AutoModel`](crate::AutoModel).
const LAYERS: &str = "encoder.layer";
/// Path of the pooler in [`AutoModel`](crate::AutoModel), and its name in every family with a pooler.
const POOLER: &str = "pooler";

/// Buffers of position ids and token types that old versions of transformers saved.
const BUFFERS: [&str; 2] = ["embeddings.position_ids", "embeddings.token_type_ids"];

impl Architecture {
    /// Returns the path of a parameter from its module path.
    ///
    /// Prefix, list of layers and head get the names of the family. Names inside a layer stay.
    pub(crate) fn path(&self, module: &str) -> String {
        let dense = self.head.dense.map(|(name, _)| ("head.dense", name));
        let norm = self.head.norm.map(|name| ("head.norm", name));
        for (field, name) in dense.into_iter().chain(norm).chain([("head.classifier", self.head.classifier)])
        {
            if let Some(parameter) = module.strip_prefix(field) {
                return format!("{name}{parameter}");
            }
        }
        let inner = module.strip_prefix("base_model.").unwrap_or(module);
        format!("{}.{}", self.base_model_prefix, inner.replacen(LAYERS, self.layers, 1))
    }

    /// Returns the name in transformers of the parameter with this path; for a LoRA adapter, the name in
    /// PEFT.
    pub(crate) fn name(&self, path: &str) -> String {
        if let Some((linear, matrix)) = path.split_once(".lora.") {
            return adapter_name(&self.name(linear), matrix);
        }
        match self.renames.iter().find(|(part, _)| path.contains(part)) {
            Some((part, name)) => path.replace(part, name),
            None => path.to_string(),
        }
    }

    /// Returns the part of the model that contains a tensor; `None` if the family does not know the name.
    ///
    /// The name may have the prefix of the base model or not.
    ///
    /// ```
    /// use embert_model::{BERT, ModelPart};
    ///
    /// assert_eq!(BERT.part_of("bert.encoder.layer.11.output.dense.bias"), Some(ModelPart::Layer(11)));
    /// assert_eq!(BERT.part_of("embeddings.word_embeddings.weight"), Some(ModelPart::Embeddings));
    /// assert_eq!(BERT.part_of("bert.pooler.dense.weight"), Some(ModelPart::Head));
    /// assert_eq!(BERT.part_of("cls.predictions.bias"), None);
    /// ```
    pub fn part_of(&self, name: &str) -> Option<ModelPart> {
        let inner = self.without_prefix(name).unwrap_or(name);
        if let Some(layer) = inner.strip_prefix(self.layers).and_then(|rest| rest.strip_prefix('.')) {
            return layer.split('.').next()?.parse().ok().map(ModelPart::Layer);
        }
        let is_in = |module: &str| inner.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'));
        let Head { dense, norm, classifier, .. } = self.head;
        let pooler = self.has_pooler.then(|| self.name("pooler.dense"));
        let names = [dense.map(|(name, _)| name), norm, Some(classifier), self.final_norm];
        let head = names.map(|name| name.map(String::from)).into_iter().chain([pooler]);
        if self.embeddings.iter().any(|module| is_in(module)) {
            Some(ModelPart::Embeddings)
        } else {
            head.flatten().any(|module| is_in(&module)).then_some(ModelPart::Head)
        }
    }

    /// Returns the names that a tensor can have in a checkpoint, the current name first.
    ///
    /// Old checkpoints use TensorFlow's `gamma` and `beta`. A bare base model has no prefix.
    pub(crate) fn accepted_names(&self, name: &str) -> Vec<String> {
        let mut names = vec![name.to_string()];
        for (new, old) in [("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")] {
            names.extend(name.strip_suffix(new).map(|norm| format!("{norm}{old}")));
        }
        let bare = names.iter().filter_map(|name| self.without_prefix(name)).map(String::from);
        names.extend(bare.collect::<Vec<_>>());
        names
    }

    /// Returns true if a tensor belongs to the base model. The name may have its prefix or not.
    pub(crate) fn is_of_base_model(&self, name: &str) -> bool {
        let module = name.split('.').next();
        let pooler = self.has_pooler.then_some(POOLER);
        let modules = self.embeddings.iter().chain([&self.layers]).chain(&self.final_norm);
        let modules = modules.map(|path| path.split('.').next());
        self.without_prefix(name).is_some()
            || modules.chain([pooler]).any(|known| known.is_some() && known == module)
    }

    /// Returns true if checkpoints of the family contain this tensor, which the model does not use. The name may have
    /// the prefix of the base model or not.
    pub(crate) fn is_ignored(&self, name: &str) -> bool {
        self.ignored.contains(&self.without_prefix(name).unwrap_or(name))
    }

    /// Returns true if a parameter belongs to the last linear layer, whose shape depends on the number of
    /// labels.
    pub(crate) fn is_of_classifier(&self, name: &str) -> bool {
        name.strip_prefix(self.head.classifier).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Returns true if a parameter belongs to the LayerNorm after the last layer.
    pub(crate) fn is_of_final_norm(&self, name: &str) -> bool {
        let name = self.without_prefix(name).unwrap_or(name);
        self.final_norm.is_some_and(|norm| name.strip_prefix(norm).is_some_and(|rest| rest.starts_with('.')))
    }

    fn without_prefix<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.base_model_prefix)?.strip_prefix('.')
    }
}

/// Returns true if a tensor is a buffer without weights.
pub(crate) fn is_buffer(name: &str) -> bool {
    BUFFERS.iter().any(|buffer| name.ends_with(buffer))
}

/// Returns true if safetensors files hold the transpose: PyTorch stores linear layers as `[out, in]`.
pub(crate) fn is_transposed(name: &str, rank: usize) -> bool {
    let is_table = ["embeddings.", "relative_attention_bias."].iter().any(|part| name.contains(part));
    rank == 2 && !is_table
}

/// Returns true for the path of the table of word embeddings, which has this name in every family.
pub(crate) fn is_word_embeddings(path: &str) -> bool {
    path.ends_with(".word_embeddings.weight")
}

#[cfg(test)]
mod tests {
    use crate::{
        ALBERT, BERT, CAMEMBERT, DEBERTA_V2, DISTILBERT, ELECTRA, MODERNBERT, MPNET, ModelPart, ROBERTA,
    };

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

    // Optimizer states and random weights of earlier versions use these paths as keys.
    #[test]
    fn module_paths_map_to_paths_and_names() {
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
            (
                &CAMEMBERT,
                "base_model.encoder.layer.1.output.layer_norm.weight",
                "roberta.encoder.layer.1.output.layer_norm.weight",
                "roberta.encoder.layer.1.output.LayerNorm.weight",
            ),
            (&ROBERTA, "head.dense.weight", "classifier.dense.weight", "classifier.dense.weight"),
            (&ROBERTA, "head.classifier.bias", "classifier.out_proj.bias", "classifier.out_proj.bias"),
            (
                &ELECTRA,
                "base_model.embeddings.projection.lora.lora_b",
                "electra.embeddings.projection.lora.lora_b",
                "electra.embeddings_project.lora_B.weight",
            ),
            (
                &ALBERT,
                "base_model.encoder.layer.0.attention.output.layer_norm.weight",
                "albert.encoder.albert_layer_groups.0.attention.output.layer_norm.weight",
                "albert.encoder.albert_layer_groups.0.albert_layers.0.attention.LayerNorm.weight",
            ),
            (&ALBERT, "base_model.pooler.dense.bias", "albert.pooler.dense.bias", "albert.pooler.bias"),
            (
                &ALBERT,
                "base_model.embeddings.projection.weight",
                "albert.embeddings.projection.weight",
                "albert.encoder.embedding_hidden_mapping_in.weight",
            ),
            (
                &ELECTRA,
                "base_model.embeddings.layer_norm.bias",
                "electra.embeddings.layer_norm.bias",
                "electra.embeddings.LayerNorm.bias",
            ),
            (
                &DEBERTA_V2,
                "base_model.encoder.layer.1.attention.self_attention.query.lora.lora_a",
                "deberta.encoder.layer.1.attention.self_attention.query.lora.lora_a",
                "deberta.encoder.layer.1.attention.self.query_proj.lora_A.weight",
            ),
            (
                &DEBERTA_V2,
                "encoder.rel_embeddings.weight",
                "deberta.encoder.rel_embeddings.weight",
                "deberta.encoder.rel_embeddings.weight",
            ),
            (
                &DEBERTA_V2,
                "encoder.layer_norm.bias",
                "deberta.encoder.layer_norm.bias",
                "deberta.encoder.LayerNorm.bias",
            ),
            (&DEBERTA_V2, "head.dense.weight", "pooler.dense.weight", "pooler.dense.weight"),
            (
                &MPNET,
                "base_model.encoder.layer.1.attention.self_attention.value.lora.lora_a",
                "mpnet.encoder.layer.1.attention.self_attention.value.lora.lora_a",
                "mpnet.encoder.layer.1.attention.attn.v.lora_A.weight",
            ),
            (
                &MPNET,
                "base_model.encoder.layer.1.attention.output.layer_norm.bias",
                "mpnet.encoder.layer.1.attention.output.layer_norm.bias",
                "mpnet.encoder.layer.1.attention.LayerNorm.bias",
            ),
            (
                &MPNET,
                "encoder.relative_attention_bias.weight",
                "mpnet.encoder.relative_attention_bias.weight",
                "mpnet.encoder.relative_attention_bias.weight",
            ),
            (
                &MODERNBERT,
                "base_model.encoder.layer.1.attn.wqkv.lora.lora_a",
                "model.layers.1.attn.wqkv.lora.lora_a",
                "model.layers.1.attn.Wqkv.lora_A.weight",
            ),
            (
                &MODERNBERT,
                "base_model.embeddings.word_embeddings.weight",
                "model.embeddings.word_embeddings.weight",
                "model.embeddings.tok_embeddings.weight",
            ),
            (
                &MODERNBERT,
                "encoder.final_norm.weight",
                "model.encoder.final_norm.weight",
                "model.final_norm.weight",
            ),
            (&MODERNBERT, "head.norm.weight", "head.norm.weight", "head.norm.weight"),
        ];
        for (architecture, module, path, name) in cases {
            assert_eq!((architecture.path(module).as_str(), architecture.name(path).as_str()), (path, name));
        }
    }

    #[test]
    fn tensors_have_the_part_of_their_module() {
        let head = Some(ModelPart::Head);
        for (architecture, name, part) in [
            (&ROBERTA, "roberta.embeddings.position_embeddings.weight", Some(ModelPart::Embeddings)),
            (&ROBERTA, "encoder.layer.3.output.dense.bias", Some(ModelPart::Layer(3))),
            (&ROBERTA, "classifier.dense.weight", head),
            (&ROBERTA, "classifier.out_proj.bias", head),
            (&ROBERTA, "roberta.pooler.dense.bias", head),
            (&ROBERTA, "lm_head.dense.bias", None),
            (&ROBERTA, "classifier.weight", None),
            (&ELECTRA, "electra.embeddings_project.weight", Some(ModelPart::Embeddings)),
            (&ELECTRA, "embeddings_project.bias", Some(ModelPart::Embeddings)),
            (&ELECTRA, "discriminator_predictions.dense.bias", None),
            (&ELECTRA, "generator_lm_head.bias", None),
            (&ALBERT, "encoder.albert_layer_groups.1.albert_layers.0.ffn.bias", Some(ModelPart::Layer(1))),
            (&ALBERT, "albert.encoder.embedding_hidden_mapping_in.bias", Some(ModelPart::Embeddings)),
            (&ALBERT, "albert.pooler.weight", head),
            (&ALBERT, "sop_classifier.classifier.weight", None),
            (&DEBERTA_V2, "deberta.encoder.rel_embeddings.weight", Some(ModelPart::Embeddings)),
            (&DEBERTA_V2, "encoder.LayerNorm.weight", Some(ModelPart::Embeddings)),
            (&DEBERTA_V2, "deberta.encoder.layer.3.output.LayerNorm.bias", Some(ModelPart::Layer(3))),
            (&DEBERTA_V2, "pooler.dense.bias", head),
            (&DEBERTA_V2, "deberta.encoder.conv.conv.bias", None),
            (&MPNET, "mpnet.encoder.relative_attention_bias.weight", Some(ModelPart::Embeddings)),
            (&MPNET, "encoder.layer.3.attention.attn.o.bias", Some(ModelPart::Layer(3))),
            (&MPNET, "mpnet.pooler.dense.weight", head),
            (&MPNET, "classifier.out_proj.weight", head),
            (&MPNET, "lm_head.decoder.weight", None),
            (&MODERNBERT, "layers.21.mlp_norm.weight", Some(ModelPart::Layer(21))),
            (&MODERNBERT, "model.embeddings.norm.weight", Some(ModelPart::Embeddings)),
            (&MODERNBERT, "model.final_norm.weight", head),
            (&MODERNBERT, "head.dense.weight", head),
            (&MODERNBERT, "decoder.bias", None),
        ] {
            assert_eq!(architecture.part_of(name), part, "{name}");
        }
    }
}
