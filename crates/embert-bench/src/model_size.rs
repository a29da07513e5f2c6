//! The measured models, from `models.json`: the published config.json of each, without keys that change no number.

use std::collections::BTreeMap;

use crate::model_config::ModelConfig;

const MODERNBERT: &str = "modernbert-base";

/// The base size of each family other than BERT and DistilBERT. CamemBERT is RoBERTa with another vocabulary.
const FAMILIES: [&str; 7] = [
    "roberta-base",
    "xlm-roberta-base",
    "electra-base",
    "albert-base-v2",
    "deberta-v3-base",
    "mpnet-base",
    MODERNBERT,
];

/// The name and the config of a model.
pub(crate) struct ModelSize {
    pub name: &'static str,
    pub config: ModelConfig,
}

impl ModelSize {
    fn named(name: &'static str) -> Self {
        let mut models: BTreeMap<String, ModelConfig> =
            serde_json::from_str(include_str!("../models.json")).expect("embert supports the models");
        Self { name, config: models.remove(name).expect("models.json has the name") }
    }
}

pub(crate) fn minilm() -> ModelSize {
    ModelSize::named("minilm-l6")
}

pub(crate) fn bert_base() -> ModelSize {
    ModelSize::named("bert-base")
}

pub(crate) fn modernbert_base() -> ModelSize {
    ModelSize::named(MODERNBERT)
}

pub(crate) fn families() -> [ModelSize; FAMILIES.len()] {
    FAMILIES.map(ModelSize::named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use embert_model::{AutoModelForSequenceClassification, parameters};

    /// `count_parameters.py` printed the numbers. No weight is allocated.
    #[test]
    fn the_models_have_the_numbers_of_parameters_of_transformers() {
        let expected = [
            ("minilm-l6", 22_713_986),
            ("bert-base", 109_483_778),
            ("roberta-base", 124_647_170),
            ("xlm-roberta-base", 278_045_186),
            ("electra-base", 109_483_778),
            ("albert-base-v2", 11_685_122),
            ("deberta-v3-base", 184_423_682),
            ("mpnet-base", 109_488_002),
            ("modernbert-base", 149_606_402),
        ];
        let sizes = [minilm(), bert_base()].into_iter().chain(families());
        let found = sizes.map(|ModelSize { name, config }| {
            let model = AutoModelForSequenceClassification::zeros(&config.opened, &Device::flex());
            (name, parameters(&model).iter().map(|parameter| parameter.num_elements()).sum::<usize>())
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
