//! LoRA adapters: logits, gradients and parameter counts of PEFT; frozen parameters; merging.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Gradients, Int, Tensor};
use embert_kernels::{DropoutStream, first_tokens};
use embert_model::{
    Adapter, AutoConfig, AutoModelForSequenceClassification, ForwardContext, LoraConfig, ModuleNames,
    add_adapter, count_parameters, from_pretrained, merge_adapter, save_pretrained,
};

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::gradients_by_name;

/// The directories of `generate_peft.py` whose adapters do not change the base weights.
pub(crate) const CASES: [&str; 9] =
    ["plain", "rslora", "patterns", "regex", "dense", "last_layer", "bias_all", "dora", "dora_dense"];

/// The directories whose adapters change the base weights.
pub(crate) const CHANGED_BASE: [&str; 2] = ["pissa", "olora"];

fn all_cases() -> impl Iterator<Item = &'static str> {
    CASES.into_iter().chain(CHANGED_BASE)
}

pub(crate) fn tiny_bert() -> AutoModelForSequenceClassification {
    let directory = fixtures().join("tiny_bert");
    let config = AutoConfig::from_dir(&directory).unwrap();
    from_pretrained(&directory, &config, 0, &Device::flex()).unwrap().complete(&directory).unwrap()
}

pub(crate) fn adapted(case: &str) -> (AutoModelForSequenceClassification, LoraConfig) {
    let adapter = Adapter::open(&fixtures().join("peft").join(case)).unwrap();
    (adapter.load(tiny_bert(), &[]).unwrap(), adapter.config)
}

pub(crate) fn logits(model: &AutoModelForSequenceClassification, context: ForwardContext) -> Tensor<2> {
    let (golden, device) = (Golden::read(), model.devices().remove(0));
    model.forward(golden.input_ids(&device), &golden.layout(), context)
}

fn gradients(model: &AutoModelForSequenceClassification, context: ForwardContext) -> Gradients {
    let labels = Golden::read().integers("labels");
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &model.devices()[0]).unsqueeze_dim(1);
    log_softmax(logits(model, context), 1).gather(1, labels).mean().neg().backward()
}

fn names_of(modules: &[&str]) -> Option<ModuleNames> {
    Some(ModuleNames::Names(modules.iter().map(|module| module.to_string()).collect()))
}

#[test]
fn logits_equal_those_of_peft() {
    let golden = Golden::of("peft.safetensors");
    for case in all_cases() {
        let (model, _) = adapted(case);
        let expected = golden.floats(&format!("{case}.logits"));
        assert_close(case, &values(logits(&model, ForwardContext::default())), &expected, 1e-5);
    }
}

#[test]
fn trained_parameters_have_pefts_gradients_and_others_have_none() {
    let golden = Golden::of("peft.safetensors");
    for case in all_cases() {
        let (model, _) = adapted(case);
        let model = model.train();
        let found = gradients_by_name(&model, gradients(&model, ForwardContext::default()));
        let prefix = format!("{case}.grad.base_model.model.");
        let expected =
            golden.names().into_iter().filter_map(|name| name.strip_prefix(&prefix).map(String::from));
        let expected =
            expected.map(|name| (name.replace(".base_layer", ""), name)).collect::<BTreeMap<_, _>>();
        assert!(found.keys().eq(expected.keys()), "{case}: {:?}", found.keys());
        for (name, gradient) in found {
            let expected = golden.floats(&format!("{prefix}{}", expected[&name]));
            assert_close(&format!("{case}: {name}"), &gradient, &expected, 1e-4);
        }
    }
}

#[test]
fn parameter_counts_equal_those_of_peft() {
    let golden = Golden::of("peft.safetensors");
    for case in all_cases() {
        let count = count_parameters(&adapted(case).0);
        let expected = golden.integers(&format!("{case}.parameters"));
        assert_eq!([count.trainable as i64, count.all as i64], expected[..], "{case}");
    }
}

#[test]
fn merging_does_not_change_logits() {
    let directory = tempfile::tempdir().unwrap();
    let config = AutoConfig::from_dir(&fixtures().join("tiny_bert")).unwrap();
    for case in all_cases() {
        let (model, _) = adapted(case);
        let before = values(logits(&model, ForwardContext::default()));
        let error = save_pretrained(&model, &config, directory.path()).unwrap_err().to_string();
        assert!(error.ends_with("save them with save_adapter or merge them with merge_adapter"), "{error}");
        let merged = merge_adapter(model);
        assert_close(case, &values(logits(&merged, ForwardContext::default())), &before, 1e-5);
        save_pretrained(&merged, &config, directory.path()).unwrap();
        let read = from_pretrained(directory.path(), &config, 0, &Device::flex()).unwrap().model;
        assert_close(case, &values(logits(&read, ForwardContext::default())), &before, 1e-5);
    }
}

#[test]
fn a_new_adapter_does_not_change_logits_and_depends_on_the_seed() {
    let before = values(logits(&tiny_bert(), ForwardContext::default()));
    let new = |seed| add_adapter(tiny_bert(), &LoraConfig::default(), seed).unwrap();
    assert_eq!(values(logits(&new(1), ForwardContext::default())), before);
    let first_a = |seed| {
        let mut model = new(seed);
        let lora = model.linear_layers().into_iter().find_map(|(_, linear)| linear.lora.take()).unwrap();
        assert_eq!(lora.scaling, 1.0);
        values(lora.lora_a.val())
    };
    let a = first_a(1);
    assert_eq!(a, first_a(1));
    assert_ne!(a, first_a(2));
    let (bound, n) = (1.0 / 32_f32.sqrt(), a.len() as f32); // U(-b, b): variance b²/3
    assert!(a.iter().all(|value| value.abs() <= bound) && a.iter().any(|value| value.abs() > 0.9 * bound));
    let variance = a.iter().map(|value| value * value).sum::<f32>() / n;
    assert!((variance / (bound * bound / 3.0) - 1.0).abs() < 0.3, "{variance}");
}

#[test]
fn layers_below_the_lowest_adapter_are_not_tracked() {
    let config = LoraConfig { layers_to_transform: Some(vec![1]), ..LoraConfig::default() };
    let model = add_adapter(tiny_bert(), &config, 0).unwrap().train();
    let (golden, device) = (Golden::read(), Device::flex().autodiff());
    let (ids, layout, context) = (golden.input_ids(&device), golden.layout(), ForwardContext::default());
    let x = model.embeddings().forward(ids, &layout, context);
    let context = model.encoder().context(&layout, context);
    let below = model.encoder().layer[0].forward(x.clone(), 0, &context);
    assert!(!x.is_tracked() && !below.is_tracked());
    assert!(model.encoder().layer[1].forward(below, 1, &context).is_tracked());
}

/// Each adapter drops elements of its own input, with its own dropout site. `forward` and `classify` use the
/// same masks.
#[test]
fn adapters_apply_dropout_only_during_training() {
    let target_modules = names_of(&["query", "key", "value", "dense"]);
    for use_dora in [false, true] {
        let target_modules = target_modules.clone();
        let config = LoraConfig { lora_dropout: 0.5, target_modules, use_dora, ..LoraConfig::default() };
        check_dropout(add_adapter(tiny_bert(), &config, 0).unwrap());
    }
}

fn check_dropout(mut model: AutoModelForSequenceClassification) {
    for (_, linear) in model.linear_layers() {
        if let Some(lora) = &mut linear.lora {
            lora.lora_b = lora.lora_b.clone().map(|b| b + 0.1);
        }
    }
    let with_dropout = |step| ForwardContext {
        dropout: Some(DropoutStream { seed: 1, step, first_sequence: 0 }),
        ..ForwardContext::default()
    };
    let logits_with = |context| values(logits(&model, context));
    assert_eq!(logits_with(with_dropout(0)), logits_with(with_dropout(0)));
    assert_ne!(logits_with(with_dropout(0)), logits_with(with_dropout(1)));
    assert_ne!(logits_with(with_dropout(0)), logits_with(ForwardContext::default()));

    let (golden, layout) = (Golden::read(), Golden::read().layout());
    let all = model.base_model.forward(golden.input_ids(&Device::flex()), &layout, with_dropout(0));
    let from_all_tokens = values(model.classify(first_tokens(all, &layout), with_dropout(0)));
    assert_close("logits", &logits_with(with_dropout(0)), &from_all_tokens, 1e-6);
}

#[test]
fn names_that_match_nothing_are_refused_with_the_valid_names() {
    let layers = "attention.self.query, attention.self.key, attention.self.value, attention.output.dense, \
                    intermediate.dense, output.dense, bert.pooler.dense, classifier";
    let error = |config: &LoraConfig| add_adapter(tiny_bert(), config, 0).unwrap_err().to_string();
    let targets = |target_modules| LoraConfig { target_modules, ..LoraConfig::default() };
    let cases = [
        (
            targets(names_of(&["query", "q_lin"])),
            format!("target_modules: q_lin matches no linear layer; the model has {layers}"),
        ),
        (
            targets(names_of(&["classifier"])),
            format!("target_modules: no linear layer matches; the model has {layers}"),
        ),
        (
            targets(Some(ModuleNames::Pattern("query".into()))),
            "target_modules: no linear layer matches".into(),
        ),
        (targets(Some(ModuleNames::Pattern("(".into()))), "target_modules: ".into()),
        (
            LoraConfig { layers_to_transform: Some(vec![7]), ..LoraConfig::default() },
            "target_modules: no linear layer matches".into(),
        ),
        (
            LoraConfig { modules_to_save: Some(vec!["head".into()]), ..LoraConfig::default() },
            "modules_to_save: no module name ends with head; the model has ".into(),
        ),
        (
            LoraConfig {
                rank_pattern: [("q_lin".to_string(), 2)].into_iter().collect(),
                ..LoraConfig::default()
            },
            format!("rank_pattern: q_lin matches no linear layer; the model has {layers}"),
        ),
        (LoraConfig { r: 0, ..LoraConfig::default() }, "r: a rank is 0; it must be at least 1".into()),
        (
            LoraConfig { lora_dropout: 1.0, ..LoraConfig::default() },
            "lora_dropout: it is 1; it must be at least 0 and less than 1".into(),
        ),
    ];
    for (config, expected) in cases {
        let error = error(&config);
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn a_family_without_default_target_modules_requires_names() {
    let config = AutoConfig::from_dir(&fixtures().join("tiny_distilbert")).unwrap();
    let model = AutoModelForSequenceClassification::new(&config, 0, &Device::flex());
    let error = add_adapter(model, &LoraConfig::default(), 0).unwrap_err().to_string();
    let expected = "target_modules: distilbert has no default target modules; choose from attention.q_lin, ";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn all_linear_selects_all_layers_except_the_head() {
    let config = LoraConfig {
        target_modules: Some(ModuleNames::Pattern("all-linear".into())),
        ..LoraConfig::default()
    };
    let mut model = add_adapter(tiny_bert(), &config, 0).unwrap();
    let layers = model.linear_layers();
    let plain = layers.iter().filter(|(_, linear)| linear.lora.is_none()).map(|(name, _)| name.as_str());
    assert_eq!(plain.collect::<Vec<_>>(), ["classifier"]);
    assert_eq!(layers.len(), 2 * 6 + 2);
}
