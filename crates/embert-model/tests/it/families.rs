//! Compares the families of `generate_families.py` with transformers and PEFT.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use embert_kernels::{DropoutStream, SequenceLayout};
use embert_model::{
    Adapter, AutoConfig, AutoModel, AutoModelForSequenceClassification, ForwardContext, LoraConfig,
    add_adapter, count_parameters, from_pretrained, merge_adapter, parameters, save_adapter, save_pretrained,
};
use safetensors::SafeTensors;

use crate::fixtures;
use crate::golden::{Golden, assert_close, values};
use crate::gradients::{assert_gradients_agree, gradients_by_name, loss};

/// The families of `generate_families.py`, and their numbers of parameters with gradients.
pub(crate) const FAMILIES: [(&str, usize); 9] = [
    ("roberta", 41),
    ("xlm-roberta", 41),
    ("camembert", 41),
    ("electra", 43),
    ("albert", 43),
    ("mpnet", 41),
    ("deberta-v2", 42),
    ("modernbert", 18),
    ("modernbert-cls", 18),
];

fn directory(family: &str) -> PathBuf {
    fixtures().join("families").join(family)
}

fn golden(family: &str) -> Golden {
    Golden::of(&format!("families/{family}/golden.safetensors"))
}

fn config(family: &str) -> AutoConfig {
    AutoConfig::from_dir(&directory(family)).unwrap()
}

fn model(family: &str, device: &Device) -> AutoModelForSequenceClassification {
    let directory = directory(family);
    from_pretrained(&directory, &config(family), 0, device).unwrap().complete(&directory).unwrap()
}

fn adapted(family: &str) -> AutoModelForSequenceClassification {
    let adapter = Adapter::open(&directory(family).join("adapter")).unwrap();
    adapter.load(model(family, &Device::flex()), &[]).unwrap()
}

fn logits(model: &AutoModelForSequenceClassification, golden: &Golden) -> Tensor<2> {
    model.forward(golden.input_ids(&model.devices()[0]), &golden.layout(), ForwardContext::default())
}

#[test]
fn hidden_states_and_logits_equal_those_of_transformers() {
    for (family, _) in FAMILIES {
        let (golden, device) = (golden(family), Device::flex());
        let model = model(family, &device);
        let states = model.base_model.hidden_states(golden.input_ids(&device), &golden.layout());
        assert_eq!(
            states.len(),
            golden.names().iter().filter(|name| name.starts_with("hidden_states.")).count()
        );
        for (layer, hidden_states) in states.into_iter().enumerate() {
            let name = format!("hidden_states.{layer}");
            assert_close(&format!("{family}: {name}"), &values(hidden_states), &golden.floats(&name), 1e-5);
        }
        assert_close(family, &values(logits(&model, &golden)), &golden.floats("logits"), 1e-5);
    }
}

#[test]
fn padding_does_not_change_logits() {
    for (family, _) in FAMILIES {
        let (golden, device) = (golden(family), Device::flex());
        let (ids, [first, second]) = (golden.integers("input_ids"), [40, 7]);
        let padded = [&ids[..first], &[1; 3], &ids[first..], &[1; 36]].concat();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(padded, [86]), &device);
        let layout = SequenceLayout::padded(vec![first, second], 43);
        let logits = model(family, &device).forward(ids, &layout, ForwardContext::default());
        assert_close(family, &values(logits), &golden.floats("logits"), 1e-5);
    }
}

#[test]
fn loss_and_gradients_equal_those_of_transformers() {
    for (family, num_parameters) in FAMILIES {
        let (golden, model) = (golden(family), model(family, &Device::flex().autodiff()));
        let logits = logits(&model, &golden);
        assert_eq!(assert_gradients_agree(&model, logits, &golden), num_parameters, "{family}");
    }
}

#[test]
fn adapters_have_the_logits_gradients_and_counts_of_peft() {
    for (family, _) in FAMILIES {
        let (golden, model) = (golden(family), adapted(family));
        assert_close(family, &values(logits(&model, &golden)), &golden.floats("adapter.logits"), 1e-5);
        let count = count_parameters(&model);
        assert_eq!([count.trainable as i64, count.all as i64], golden.integers("adapter.parameters")[..]);
        let model = model.train();
        let found = gradients_by_name(&model, loss(logits(&model, &golden), &golden).backward());
        let prefix = "adapter.grad.base_model.model.";
        let expected =
            golden.names().into_iter().filter_map(|name| name.strip_prefix(prefix).map(String::from));
        let expected = expected.map(|name| (name, ())).collect::<BTreeMap<_, _>>();
        assert!(found.keys().eq(expected.keys()), "{family}: {:?}", found.keys());
        for (name, gradient) in found {
            let expected = golden.floats(&format!("{prefix}{name}"));
            assert_close(&format!("{family}: {name}"), &gradient, &expected, 1e-4);
        }
    }
}

#[test]
fn saved_adapters_equal_those_of_peft() {
    for (family, _) in FAMILIES {
        let written = tempfile::tempdir().unwrap();
        save_adapter(&adapted(family), family, written.path()).unwrap();
        let [theirs, ours] = [directory(family).join("adapter"), written.path().to_path_buf()];
        let read = |directory: &PathBuf| fs::read(directory.join("adapter_model.safetensors")).unwrap();
        let bytes = [read(&theirs), read(&ours)];
        let [expected, found] = [0, 1].map(|i| SafeTensors::deserialize(&bytes[i]).unwrap());
        assert_eq!(expected.len(), found.len(), "{family}");
        for (name, tensor) in found.tensors() {
            assert_eq!(tensor, expected.tensor(&name).unwrap(), "{family}: {name}");
        }
        let read = |directory: PathBuf| -> serde_json::Value {
            let text = fs::read_to_string(directory.join("adapter_config.json")).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let (theirs, ours) = (read(theirs), read(ours));
        for (key, value) in ours.as_object().unwrap() {
            assert_eq!(value, &theirs[key], "{family}: {key}");
        }
    }
}

#[test]
fn merged_adapters_have_the_same_logits() {
    for (family, _) in FAMILIES {
        let (golden, written) = (golden(family), tempfile::tempdir().unwrap());
        let config = config(family);
        save_pretrained(&merge_adapter(adapted(family)), &config, written.path()).unwrap();
        let read = from_pretrained(written.path(), &config, 0, &Device::flex()).unwrap().model;
        assert_close(family, &values(logits(&read, &golden)), &golden.floats("adapter.logits"), 1e-5);
    }
}

#[test]
fn default_target_modules_are_those_of_peft() {
    for (family, expected) in [("roberta", 4), ("xlm-roberta", 4), ("electra", 4)] {
        let model = add_adapter(model(family, &Device::flex()), &LoraConfig::default(), 0).unwrap();
        let targets = serde_json::to_value(model.lora().unwrap()).unwrap()["target_modules"].clone();
        assert_eq!(targets, serde_json::json!(["query", "value"]), "{family}");
        assert_eq!(adapters(model).len(), expected, "{family}");
    }
    for (family, expected) in [
        ("camembert", "camembert has no default target modules"),
        ("albert", "albert has no default target modules"),
        (
            "mpnet",
            "mpnet has no default target modules; choose from attention.attn.q, attention.attn.k, attention.attn.v, \
             attention.attn.o, intermediate.dense, output.dense, ",
        ),
        (
            "modernbert",
            "modernbert has no default target modules; choose from attn.Wqkv, attn.Wo, mlp.Wi, mlp.Wo, ",
        ),
    ] {
        let error = add_adapter(model(family, &Device::flex()), &LoraConfig::default(), 0).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// PEFT freezes this layer at random weights. A config with modules is followed, as in an adapter of PEFT.
#[test]
fn a_default_adapter_of_deberta_saves_the_new_pooler() {
    let model = || model("deberta-v2", &Device::flex().autodiff());
    let adapted = add_adapter(model(), &LoraConfig::default(), 0).unwrap();
    let settings = serde_json::to_value(adapted.lora().unwrap()).unwrap();
    assert_eq!(settings["target_modules"], serde_json::json!(["query_proj", "value_proj"]));
    assert_eq!(settings["modules_to_save"], serde_json::json!(["pooler.dense"]));
    assert!(is_trainable(&adapted, "pooler.dense.weight"));
    let named = LoraConfig { modules_to_save: Some(vec!["classifier".into()]), ..LoraConfig::default() };
    assert!(!is_trainable(&add_adapter(model(), &named, 0).unwrap(), "pooler.dense.weight"));
}

fn is_trainable(model: &AutoModelForSequenceClassification, name: &str) -> bool {
    parameters(model).into_iter().any(|parameter| parameter.name == name && parameter.is_trainable)
}

/// PEFT adapts neither layer of the head, because it trains the module `classifier` in full.
#[test]
fn all_linear_adapts_the_projection_and_not_the_head() {
    let all = serde_json::from_str(r#"{"target_modules": "all-linear"}"#).unwrap();
    for (family, expected) in [("roberta", 12), ("electra", 13), ("mpnet", 12), ("modernbert", 9)] {
        let names = adapters(add_adapter(model(family, &Device::flex()), &all, 0).unwrap());
        assert_eq!(names.len(), expected, "{family}: {names:?}");
        assert_eq!(names[0] == "electra.embeddings_project", family == "electra");
        assert!(names.iter().all(|name| !name.starts_with("classifier")), "{names:?}");
    }
}

/// Returns the names of the linear layers with an adapter.
fn adapters(mut model: AutoModelForSequenceClassification) -> Vec<String> {
    let layers = model.linear_layers().into_iter();
    layers.filter(|(_, linear)| linear.lora.is_some()).map(|(name, _)| name).collect()
}

#[test]
fn a_pretrained_roberta_has_a_pooler_that_a_classifier_does_not_use() {
    let (golden, device, folder) = (golden("roberta"), Device::flex(), tempfile::tempdir().unwrap());
    for (from, to) in [("config.json", "config.json"), ("pretrained.safetensors", "model.safetensors")] {
        fs::copy(directory("roberta").join(from), folder.path().join(to)).unwrap();
    }
    let config = AutoConfig::from_dir(folder.path()).unwrap();
    let encoder = AutoModel::from_pretrained(folder.path(), &config, &device).unwrap();
    let layout = golden.layout();
    let states = encoder.model.forward(golden.input_ids(&device), &layout, ForwardContext::default());
    let pooled = encoder.model.pooler_output(states, &layout, ForwardContext::default()).unwrap();
    assert_close("pooler_output", &values(pooled), &golden.floats("pooler_output"), 1e-5);
    assert_eq!(encoder.unused.len(), 5);
    assert!(encoder.unused.iter().all(|name| name.starts_with("lm_head.")), "{:?}", encoder.unused);
    let classifier = from_pretrained(folder.path(), &config, 0, &device).unwrap();
    let head = ["classifier.dense", "classifier.out_proj"]
        .map(|layer| [format!("{layer}.weight"), format!("{layer}.bias")]);
    assert_eq!(classifier.newly_initialized, head.concat());
    assert_eq!(classifier.unused.len(), 7);
    assert!(classifier.unused.contains(&"roberta.pooler.dense.weight".to_string()));
}

/// RoBERTa has one token type here, as in roberta-base.
#[test]
fn token_types_have_no_effect_on_a_roberta_with_one_type() {
    for (family, has_effect) in
        [("roberta", false), ("xlm-roberta", false), ("mpnet", false), ("electra", true)]
    {
        let (golden, device) = (golden(family), Device::flex());
        let model = model(family, &device);
        assert!(model.embeddings().supports_pairs(), "{family}");
        let single = values(logits(&model, &golden));
        let pairs = golden.layout().with_first_segments(vec![13, 3]);
        let pairs = model.forward(golden.input_ids(&device), &pairs, ForwardContext::default());
        assert_eq!(single != values(pairs), has_effect, "{family}");
    }
}

#[test]
fn positions_begin_after_the_padding() {
    for (family, first, longest) in [
        ("roberta", 2, 40),
        ("camembert", 2, 40),
        ("mpnet", 2, 40),
        ("electra", 0, 40),
        ("deberta-v2", 0, 40),
        ("modernbert", 0, 64),
    ] {
        let encoder = config(family).encoder;
        assert_eq!((encoder.first_position(), encoder.max_length()), (first, longest), "{family}");
    }
}

/// Dropout before the dense layer changes its output; dropout after it only scales or removes a unit.
#[test]
fn the_head_has_dropout_before_and_after_the_dense_layer() {
    for (family, expected) in [("roberta", true), ("electra", true), ("mpnet", true), ("bert", false)] {
        let mut config = if family == "bert" {
            AutoConfig::from_dir(&fixtures().join("tiny_bert")).unwrap()
        } else {
            config(family)
        };
        config.encoder.classifier_dropout = Some(0.5);
        let (device, hidden) = (Device::flex(), config.encoder.hidden_size);
        let mut model = AutoModelForSequenceClassification::new(&config, 1, &device);
        let only_first_unit = Tensor::<2>::zeros([hidden, 3], &device).slice_fill([0..1, 0..3], 1.0);
        model.head.classifier.weight = model.head.classifier.weight.map(|_| only_first_unit);
        let x = Tensor::<2>::ones([40, hidden], &device); // 40 sequences with the same first token
        let stream = DropoutStream { seed: 1, step: 0, first_sequence: 0 };
        let context = ForwardContext { dropout: Some(stream), ..ForwardContext::default() };
        let first_logits = values(model.classify(x, context)).into_iter().step_by(3);
        let mut kept = first_logits.filter(|&logit| logit != 0.0).collect::<Vec<_>>();
        assert!((5..36).contains(&kept.len()), "{family}: {kept:?}");
        kept.dedup();
        assert_eq!(kept.len() > 1, expected, "{family}: {kept:?}");
    }
}
