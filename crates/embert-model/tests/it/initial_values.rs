//! PiSSA and OLoRA: PEFT's base weights, unchanged logits, conversion to plain LoRA and resuming.

use std::collections::BTreeMap;
use std::f64::consts::SQRT_2;

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use embert_model::{
    Adapter, AutoModelForSequenceClassification, ForwardContext, InitLoraWeights, LoraConfig, ModelError,
    ModuleNames, Parameter, ParameterVisitor, add_adapter, count_parameters, save_adapter, visit_parameters,
};

use crate::adapters::{CHANGED_BASE, adapted, logits, tiny_bert};
use crate::golden::{Golden, assert_close, values};

const CHANGES_BASE: [InitLoraWeights; 3] =
    [InitLoraWeights::Pissa, InitLoraWeights::PissaIterations(4), InitLoraWeights::Olora];

/// Settings with all kinds of ranks and scalings.
fn config(init_lora_weights: InitLoraWeights, use_dora: bool, use_rslora: bool) -> LoraConfig {
    let names = ["query", "intermediate.dense", "output.dense"].map(String::from).to_vec();
    LoraConfig {
        r: 4,
        lora_alpha: 6.0,
        target_modules: Some(ModuleNames::Names(names)),
        rank_pattern: [("query".to_string(), 3)].into_iter().collect(),
        alpha_pattern: [("1.output.dense".to_string(), 5.0)].into_iter().collect(),
        init_lora_weights,
        use_dora,
        use_rslora,
        ..LoraConfig::default()
    }
}

fn configs() -> impl Iterator<Item = LoraConfig> {
    CHANGES_BASE.into_iter().flat_map(|init| {
        [(false, false), (true, false), (false, true), (true, true)]
            .map(|(use_dora, use_rslora)| config(init, use_dora, use_rslora))
    })
}

fn plain_logits(model: &AutoModelForSequenceClassification) -> Vec<f32> {
    values(logits(model, ForwardContext::default()))
}

/// Returns a model whose adapters are no longer the initial ones.
fn trained(config: &LoraConfig) -> AutoModelForSequenceClassification {
    let mut model = add_adapter(tiny_bert(), config, 1).unwrap();
    for (_, linear) in model.linear_layers() {
        let Some(lora) = &mut linear.lora else { continue };
        lora.lora_a = lora.lora_a.clone().map(|a| a * 1.1 + 0.01);
        lora.lora_b = lora.lora_b.clone().map(|b| b * 0.9 - 0.02);
        lora.lora_magnitude_vector = lora.lora_magnitude_vector.clone().map(|m| m.map(|m| m * 1.3));
    }
    model
}

fn weights(model: &AutoModelForSequenceClassification) -> BTreeMap<String, (bool, Vec<f32>)> {
    struct Weights(BTreeMap<String, (bool, Vec<f32>)>);
    impl ParameterVisitor for Weights {
        fn visit<const D: usize>(&mut self, parameter: Parameter, param: &Param<Tensor<D>>) {
            self.0.insert(parameter.name, (parameter.is_trainable, values(param.val())));
        }
    }
    let mut weights = Weights(BTreeMap::new());
    visit_parameters(model, &mut weights);
    weights.0
}

#[test]
fn changed_base_weights_equal_those_of_peft() {
    let golden = Golden::of("peft.safetensors");
    for case in CHANGED_BASE {
        let (mut model, _) = adapted(case);
        let mut checked = 0;
        for (name, linear) in model.linear_layers() {
            if linear.lora.is_some() {
                let residual = format!("{case}.residual.base_model.model.{name}.base_layer.weight");
                let found = values(linear.weight.val().transpose());
                assert_close(&residual, &found, &golden.floats(&residual), 1e-5);
                checked += 1;
            }
        }
        let expected =
            golden.names().into_iter().filter(|name| name.starts_with(&format!("{case}.residual.")));
        assert_eq!(checked, expected.count());
    }
}

#[test]
fn a_new_adapter_does_not_change_logits() {
    let before = plain_logits(&tiny_bert());
    for config in configs() {
        let mut model = add_adapter(tiny_bert(), &config, 1).unwrap();
        assert_close(&format!("{config:?}"), &plain_logits(&model), &before, 1e-5);
        for (_, linear) in model.linear_layers() {
            let Some(lora) = &linear.lora else { continue };
            assert!(
                [&lora.lora_a, &lora.lora_b].map(|matrix| values(matrix.val().abs().sum())[0] > 0.1)
                    == [true; 2]
            );
        }
    }
    let gaussian = config(InitLoraWeights::Gaussian, false, false);
    let mut model = add_adapter(tiny_bert(), &gaussian, 1).unwrap();
    assert_eq!(plain_logits(&model), before);
    let (_, linear) =
        model.linear_layers().into_iter().find(|(name, _)| name.contains("intermediate")).unwrap();
    let a = values(linear.lora.as_ref().unwrap().lora_a.val());
    let variance = a.iter().map(|value| value * value).sum::<f32>() / a.len() as f32;
    assert!((variance * 16.0 - 1.0).abs() < 0.4, "r is 4, so the variance is 1/16: {variance}");
}

#[test]
fn saved_adapters_are_plain_lora_of_twice_the_rank_with_the_same_logits() {
    for config in configs() {
        let (model, directory) = (trained(&config), tempfile::tempdir().unwrap());
        save_adapter(&model, "tiny_bert", directory.path()).unwrap();
        let saved = Adapter::open(directory.path()).unwrap();
        assert_eq!((saved.config.r, saved.config.init_lora_weights), (8, InitLoraWeights::Uniform));
        assert_eq!((saved.config.use_dora, saved.config.rank_pattern["query"]), (config.use_dora, 6));
        let factor = if config.use_rslora { SQRT_2 } else { 2.0 };
        assert_eq!(saved.config.lora_alpha, 6.0 * factor);
        assert_eq!(saved.config.alpha_pattern["1.output.dense"], 5.0 * factor);
        let loaded = saved.load(tiny_bert(), &[]).unwrap();
        assert_close(&format!("{config:?}"), &plain_logits(&loaded), &plain_logits(&model), 1e-5);
    }
}

#[test]
fn resuming_restores_adapters_and_base_weights_bit_for_bit() {
    let plain = LoraConfig::default();
    for config in configs().chain([plain]) {
        let (model, directory) = (trained(&config).train(), tempfile::tempdir().unwrap());
        save_adapter(&model, "tiny_bert", directory.path()).unwrap();
        let adapter = Adapter::open(directory.path()).unwrap();
        let resumed = adapter.resume(tiny_bert().train(), &[], &config).unwrap();
        assert!(weights(&resumed) == weights(&model), "{config:?}");
        assert_eq!(count_parameters(&resumed), count_parameters(&model));
        assert_eq!(plain_logits(&resumed), plain_logits(&model));
        let again = tempfile::tempdir().unwrap();
        save_adapter(&resumed, "tiny_bert", again.path()).unwrap();
        for file in ["adapter_model.safetensors", "adapter_config.json"] {
            let read = |directory: &tempfile::TempDir| std::fs::read(directory.path().join(file)).unwrap();
            assert!(read(&again) == read(&directory), "{config:?}: {file}");
        }
    }
}

#[test]
fn resuming_with_another_rank_is_an_error() {
    let (config, directory) = (config(InitLoraWeights::Pissa, false, false), tempfile::tempdir().unwrap());
    save_adapter(&trained(&config), "tiny_bert", directory.path()).unwrap();
    let other = LoraConfig { r: 5, ..config };
    let error = Adapter::open(directory.path()).unwrap().resume(tiny_bert(), &[], &other).unwrap_err();
    let expected = "adapter_config.json: r: a rank is 8; the run has the rank 5, so 10 is expected";
    assert!(error.to_string().ends_with(expected), "{error}");
}

#[test]
fn a_rank_above_the_number_of_singular_values_is_an_error() {
    for init in CHANGES_BASE {
        let config = LoraConfig { r: 33, ..config(init, false, false) };
        let error = add_adapter(tiny_bert(), &config, 0).unwrap_err();
        assert!(matches!(error, ModelError::Lora { key: "r", .. }));
        assert!(error.to_string().ends_with("has 32 inputs and 32 outputs; the maximum is 32"), "{error}");
        let largest = LoraConfig { r: 32, rank_pattern: [].into_iter().collect(), ..config };
        let (model, directory) = (trained(&largest), tempfile::tempdir().unwrap());
        save_adapter(&model, "tiny_bert", directory.path()).unwrap();
        Adapter::open(directory.path()).unwrap().load(tiny_bert(), &[]).unwrap();
    }
}

#[test]
fn settings_have_the_names_of_peft() {
    for name in ["true", "\"gaussian\"", "\"pissa\"", "\"pissa_niter_16\"", "\"olora\""] {
        let init: InitLoraWeights = serde_json::from_str(name).unwrap();
        assert_eq!(serde_json::to_string(&init).unwrap(), name);
    }
    for name in ["false", "\"eva\"", "\"pissa_niter_\"", "\"pissa_niter_x\""] {
        let error = serde_json::from_str::<InitLoraWeights>(name).unwrap_err().to_string();
        let expected = format!(
            "init_lora_weights is {}; it must be true, gaussian, pissa, pissa_niter_N with a number N, or olora",
            name.trim_matches('"')
        );
        assert!(error.starts_with(&expected), "{error}");
    }
}
