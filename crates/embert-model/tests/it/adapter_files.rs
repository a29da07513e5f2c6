//! Files of PEFT: reading, writing, and errors for unsupported adapters.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use embert_model::{
    Adapter, AutoConfig, AutoModelForSequenceClassification, ForwardContext, LoraBias, LoraConfig,
    ModelError, ModuleNames, add_adapter, from_pretrained, save_adapter,
};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::adapters::{CASES, adapted, logits, tiny_bert};
use crate::fixtures;
use crate::golden::values;

/// Returns a directory with a copy of a PEFT adapter.
fn copy(case: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(fixtures().join("peft").join(case).join(file), directory.path().join(file)).unwrap();
    }
    directory
}

/// Returns a copy of the adapter with another value in adapter_config.json.
fn configured(case: &str, key: &str, value: Value) -> TempDir {
    let directory = copy(case);
    let path = directory.path().join("adapter_config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    config[key] = value;
    fs::write(path, config.to_string()).unwrap();
    directory
}

fn error(directory: &Path) -> String {
    let loaded = Adapter::open(directory).and_then(|adapter| adapter.load(tiny_bert(), &[]));
    let error = loaded.expect_err("this must not load").to_string();
    error.replace(&directory.display().to_string(), "DIR")
}

#[test]
fn saved_tensors_equal_those_of_peft_bit_for_bit() {
    for case in CASES {
        let (model, config) = adapted(case);
        let written = tempfile::tempdir().unwrap();
        save_adapter(&model, "tiny_bert", written.path()).unwrap();
        let read = |directory: &Path| fs::read(directory.join("adapter_model.safetensors")).unwrap();
        let [theirs, ours] = [read(&fixtures().join("peft").join(case)), read(written.path())];
        let [theirs, ours] = [&theirs, &ours].map(|bytes| SafeTensors::deserialize(bytes).unwrap());
        let is_duplicate =
            |name: &str| name.contains(".original_module.") || name.contains(".modules_to_save.");
        assert_eq!(
            ours.len(),
            theirs.names().into_iter().filter(|name| !is_duplicate(name)).count(),
            "{case}"
        );
        for (name, tensor) in ours.tensors() {
            assert_eq!(tensor, theirs.tensor(&name).unwrap(), "{case}: {name}");
        }
        let reopened = Adapter::open(written.path()).unwrap();
        assert_eq!(reopened.base_model_name_or_path.as_deref(), Some("tiny_bert"));
        assert_eq!((reopened.config.r, reopened.config.bias), (config.r, config.bias));
        let loaded = reopened.load(tiny_bert(), &[]).unwrap();
        assert_eq!(
            values(logits(&loaded, ForwardContext::default())),
            values(logits(&model, ForwardContext::default()))
        );
    }
}

#[test]
fn saved_settings_equal_those_of_peft() {
    for case in CASES {
        let (model, _) = adapted(case);
        let written = tempfile::tempdir().unwrap();
        save_adapter(&model, "tiny_bert", written.path()).unwrap();
        let read = |directory: &Path| -> Value {
            serde_json::from_str(&fs::read_to_string(directory.join("adapter_config.json")).unwrap()).unwrap()
        };
        let (ours, theirs) = (read(written.path()), read(&fixtures().join("peft").join(case)));
        for (key, value) in ours.as_object().unwrap() {
            let value_or_first =
                value.as_array().filter(|_| theirs[key].is_string()).map_or(value, |list| &list[0]);
            assert_eq!(value_or_first, &theirs[key], "{case}: {key}");
        }
    }
}

/// Saves a new adapter with this pattern. Returns its saved `target_modules`, and the names of the adapted layers.
fn saved_targets(model: &str, settings: Value) -> [Value; 2] {
    let (directory, written) = (fixtures().join(model), tempfile::tempdir().unwrap());
    let config = AutoConfig::from_dir(&directory).unwrap();
    let base = || from_pretrained(&directory, &config, 0, &Device::flex()).unwrap().model;
    let adapted = |mut model: AutoModelForSequenceClassification| {
        let layers = model.linear_layers().into_iter().filter(|(_, linear)| linear.lora.is_some());
        layers.map(|(name, _)| name).collect::<BTreeSet<_>>()
    };
    let model = add_adapter(base(), &serde_json::from_value(settings).unwrap(), 0).unwrap();
    save_adapter(&model, "base", written.path()).unwrap();
    let reopened = Adapter::open(written.path()).unwrap();
    let (names, targets) = (adapted(model), json!(reopened.config.target_modules));
    assert_eq!(adapted(reopened.load(base(), &[]).unwrap()), names);
    [targets, json!(names)]
}

/// PEFT 0.21.2 refuses each expression that is replaced, because it matches a module that is not a linear layer, or the
/// `pre_classifier` in `modules_to_save`. It replaces `all-linear` itself, and refuses it for DistilBERT.
#[test]
fn a_pattern_that_peft_refuses_is_saved_as_names() {
    let cases = [
        ("tiny_distilbert", json!({"target_modules": "all-linear"}), Some(12)),
        ("tiny_distilbert", json!({"target_modules": ".*_lin|pre_.*"}), Some(8)),
        ("tiny_distilbert", json!({"target_modules": ".*_lin"}), None),
        ("tiny_bert", json!({"target_modules": "ALL-linear"}), Some(13)),
        ("tiny_bert", json!({"target_modules": ".*attention.*"}), Some(8)),
        ("tiny_bert", json!({"target_modules": r".*\.self\.\w+"}), Some(6)), // and the dropout
        (
            "tiny_bert",
            json!({"target_modules": r".*\.self\.\w+", "exclude_modules": r".*\.self\.[^kqv]\w+"}),
            None,
        ),
        ("families/roberta", json!({"target_modules": ".*(query|dense)"}), None), // not classifier.dense
        ("families/modernbert", json!({"target_modules": r".*attn\..*"}), Some(4)),
    ];
    for (model, settings, num_names) in cases {
        let [targets, names] = saved_targets(model, settings.clone());
        let expected = if num_names.is_some() { &names } else { &settings["target_modules"] };
        assert_eq!(&targets, expected, "{model} {settings}");
        let found = targets.as_array().map(Vec::len);
        assert_eq!(found, num_names, "{model} {settings}");
    }
}

#[test]
fn settings_are_read_with_pefts_defaults() {
    let directory = copy("plain");
    fs::write(
        directory.path().join("adapter_config.json"),
        r#"{"peft_type": "LORA", "layers_to_transform": 3, "layers_pattern": "layer", "alpha_pattern": {"b": 1, "a": 2.5}, "shiny": 1}"#,
    )
    .unwrap();
    let Adapter { config, base_model_name_or_path, unknown_keys, .. } =
        Adapter::open(directory.path()).unwrap();
    assert_eq!((base_model_name_or_path, unknown_keys), (None, vec!["shiny".to_string()]));
    let patterns = config.alpha_pattern.iter().map(|(key, alpha)| (key.as_str(), *alpha)).collect::<Vec<_>>();
    assert_eq!(patterns, [("b", 1.0), ("a", 2.5)]); // the order of the file
    let expected = LoraConfig {
        layers_to_transform: Some(vec![3]),
        layers_pattern: Some(vec!["layer".into()]),
        alpha_pattern: config.alpha_pattern.clone(),
        ..LoraConfig::default()
    };
    assert_eq!(config, expected);
    assert_eq!((config.r, config.lora_alpha, config.bias), (8, 8.0, LoraBias::None));
}

#[test]
fn unsupported_adapters_are_refused_by_key() {
    let cases = [
        (
            "peft_type",
            json!("IA3"),
            "DIR/adapter_config.json: peft_type is \"IA3\"; only \"LORA\" is supported",
        ),
        ("task_type", json!("CAUSAL_LM"), "task_type is \"CAUSAL_LM\"; only \"SEQ_CLS\" is supported"),
        (
            "use_dora",
            json!(true),
            "missing 4 of the model's tensors: base_model.model.bert.encoder.layer.0.attention.self.query.lora_magnitude_vector",
        ),
        ("lora_bias", json!(true), "lora_bias is true"),
        ("layer_replication", json!([[0, 1]]), "layer_replication is [[0,1]]"),
        (
            "init_lora_weights",
            json!("loftq"),
            "init_lora_weights is \"loftq\"; only pissa, olora or a method",
        ),
        ("init_lora_weights", json!(7), "init_lora_weights is 7; only pissa"),
        (
            "init_lora_weights",
            json!("pissa_niter_4"),
            "init_lora_weights is \"pissa_niter_4\"; only an adapter that PEFT's save_pretrained converted",
        ),
        ("bias", json!("some"), "unknown variant `some`"),
        (
            "target_modules",
            json!(["q_lin"]),
            "target_modules: no linear layer matches; the model has attention.self.query",
        ),
        ("r", json!(5), "lora_A.weight has shape [4, 32]; the model expects [5, 32]"),
        (
            "target_modules",
            json!(["query"]),
            "4 unexpected tensors: base_model.model.bert.encoder.layer.0.attention.self.value.lora_A.weight",
        ),
        (
            "target_modules",
            json!(["query", "value", "key"]),
            "missing 4 of the model's tensors: base_model.model.bert.encoder.layer.0.attention.self.key.lora_A.weight",
        ),
        (
            "modules_to_save",
            json!(["pooler"]),
            "missing 2 of the model's tensors: base_model.model.bert.pooler.dense.weight",
        ),
    ];
    for (key, value, expected) in cases {
        let error = error(configured("plain", key, value).path());
        assert!(error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn a_model_without_adapters_is_not_saved_as_an_adapter() {
    let directory = tempfile::tempdir().unwrap();
    let error = save_adapter(&tiny_bert(), "base", directory.path()).unwrap_err();
    assert!(matches!(error, ModelError::NotAdapted { .. }), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_head_is_an_error() {
    let directory = copy("plain");
    let path = directory.path().join("adapter_model.safetensors");
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let headless = file.tensors().into_iter().filter(|(name, _)| !name.contains("classifier"));
    safetensors::serialize_to_file(headless, None, &path).unwrap();
    let expected = "DIR/adapter_model.safetensors: missing 2 of the model's tensors: base_model.model.classifier.weight, \
                    base_model.model.classifier.bias";
    assert_eq!(error(directory.path()), expected);
}

#[test]
fn an_adapter_must_have_the_pooler_that_the_base_lacks() {
    let base = |case: &str| -> Result<_, ModelError> {
        let config = AutoConfig::from_dir(&fixtures().join("tiny_bert"))?;
        let lacking =
            ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight"].map(String::from);
        let model = from_pretrained(&fixtures().join("tiny_bert"), &config, 0, &Device::flex())?.model;
        Adapter::open(&fixtures().join("peft").join(case))?.load(model, &lacking)
    };
    assert!(base("rslora").is_ok());
    let error = base("plain").unwrap_err().to_string();
    assert!(
        error.ends_with("missing 2 of the model's tensors: bert.pooler.dense.weight, bert.pooler.dense.bias"),
        "{error}"
    );
}

#[test]
fn an_adapter_of_torch_save_equals_that_in_safetensors_bit_for_bit() {
    let directory = copy("plain");
    let path = |name| directory.path().join(name);
    let saved_again = || {
        let model = Adapter::open(directory.path()).unwrap().load(tiny_bert(), &[]).unwrap();
        let written = tempfile::tempdir().unwrap();
        save_adapter(&model, "tiny_bert", written.path()).unwrap();
        fs::read(written.path().join("adapter_model.safetensors")).unwrap()
    };
    let expected = saved_again();
    fs::write(path("adapter_model.bin"), "not read, because there is a safetensors file").unwrap();
    assert!(saved_again() == expected);
    fs::remove_file(path("adapter_model.safetensors")).unwrap();
    fs::copy(fixtures().join("peft/plain.bin"), path("adapter_model.bin")).unwrap();
    assert!(saved_again() == expected);
    assert_eq!(Adapter::open(directory.path()).unwrap().num_labels(), Some(3));
}

#[test]
fn damaged_files_are_named() {
    let directory = copy("plain");
    let weights = directory.path().join("adapter_model.safetensors");
    fs::write(&weights, "").unwrap();
    assert!(
        error(directory.path()).starts_with("DIR/adapter_model.safetensors: not a valid safetensors file")
    );
    fs::remove_file(&weights).unwrap();
    assert!(error(directory.path()).starts_with("DIR/adapter_model.safetensors: "));
    fs::write(directory.path().join("adapter_model.bin"), "pickle").unwrap();
    assert!(
        error(directory.path()).starts_with("DIR/adapter_model.bin: not a valid PyTorch file: its 6 bytes")
    );
    fs::write(directory.path().join("adapter_config.json"), "{").unwrap();
    assert!(error(directory.path()).starts_with("DIR/adapter_config.json: EOF"));
    assert!(!Adapter::is_in(&fixtures().join("tiny_bert")) && Adapter::is_in(directory.path()));
}

#[test]
fn the_number_of_labels_comes_from_the_classifier() {
    let adapter = Adapter::open(&fixtures().join("peft/regex")).unwrap();
    assert_eq!(adapter.num_labels(), Some(3));
    assert!(matches!(adapter.config.target_modules, Some(ModuleNames::Pattern(_))));
}
