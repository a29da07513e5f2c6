//! adapter_config.json of PEFT. Options that change the result and are not supported are errors.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::ModelError;
use crate::lfs_pointer::read_text;
use crate::lora::config::LoraConfig;
use crate::lora::init_lora_weights::InitLoraWeights;

/// The content of adapter_config.json.
pub(super) struct AdapterConfig {
    pub(super) config: LoraConfig,
    pub(super) base_model_name_or_path: Option<String>,
    /// Keys that this library does not know.
    pub(super) unknown_keys: Vec<String>,
}

/// Keys of [`LoraConfig`].
const SETTINGS: [&str; 14] = [
    "r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "exclude_modules",
    "bias",
    "use_rslora",
    "use_dora",
    "init_lora_weights",
    "modules_to_save",
    "layers_to_transform",
    "layers_pattern",
    "rank_pattern",
    "alpha_pattern",
];

/// Keys that change what an adapter computes. They must be off.
const VARIANTS: [&str; 13] = [
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "fan_in_fan_out",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "monteclora_config",
    "velora_config",
    "megatron_config",
];

/// Keys that have no effect on a trained adapter.
const ANNOTATIONS: [&str; 14] = [
    "peft_type",
    "task_type",
    "base_model_name_or_path",
    "auto_mapping",
    "revision",
    "inference_mode",
    "peft_version",
    "megatron_core",
    "qalora_group_size",
    "loftq_config",
    "eva_config",
    "corda_config",
    "lora_ga_config",
    "ensure_weight_tying",
];

impl AdapterConfig {
    /// Reads and checks the file.
    pub(super) fn read(path: &Path) -> Result<Self, ModelError> {
        let text = read_text(path)?;
        let json = |source| ModelError::Json { path: path.into(), source };
        let mut file: Map<String, Value> = serde_json::from_str(&text).map_err(json)?;
        file.retain(|_, value| !value.is_null());
        check_supported(&file, path)?;
        let init = initial_values(file.get("init_lora_weights"), path)?;
        file.remove("init_lora_weights");
        let (settings, rest): (Map<_, _>, Map<_, _>) =
            file.into_iter().partition(|(key, _)| SETTINGS.contains(&key.as_str()));
        let known = |key: &str| VARIANTS.contains(&key) || ANNOTATIONS.contains(&key);
        let base = rest.get("base_model_name_or_path").and_then(Value::as_str).map(String::from);
        let unknown_keys = rest.into_iter().map(|(key, _)| key).filter(|key| !known(key)).collect();
        let config: LoraConfig = serde_json::from_value(Value::Object(settings)).map_err(json)?;
        let config = LoraConfig { init_lora_weights: init, ..config };
        Ok(Self { config, base_model_name_or_path: base, unknown_keys })
    }
}

/// Fails for settings that are not supported, and names the key.
fn check_supported(file: &Map<String, Value>, path: &Path) -> Result<(), ModelError> {
    let unsupported = |key, found: &Value, supported: &str| {
        let (found, supported) = (found.to_string(), supported.to_string());
        Err(ModelError::Unsupported { path: path.into(), key, found, supported })
    };
    let missing = Value::Null;
    let value = |key| file.get(key).unwrap_or(&missing);
    if value("peft_type") != "LORA" {
        return unsupported("peft_type", value("peft_type"), "\"LORA\"");
    }
    if !value("task_type").is_null() && value("task_type") != "SEQ_CLS" {
        return unsupported("task_type", value("task_type"), "\"SEQ_CLS\"");
    }
    if let Some(key) = VARIANTS.into_iter().find(|key| !is_off(value(key))) {
        return unsupported(key, value(key), "a value that disables it");
    }
    Ok(())
}

/// Returns the initialization of a saved adapter, if it changes the base weights.
///
/// PEFT initializes again when it opens such an adapter.
fn initial_values(found: Option<&Value>, path: &Path) -> Result<InitLoraWeights, ModelError> {
    let unsupported = |found: &Value, supported: &str| {
        let (key, found, supported) = ("init_lora_weights", found.to_string(), supported.to_string());
        Err(ModelError::Unsupported { path: path.into(), key, found, supported })
    };
    let others = ["eva", "orthogonal"]; // they change only A and B
    match found {
        None | Some(Value::Bool(_)) => Ok(InitLoraWeights::Uniform),
        Some(Value::String(name)) if others.contains(&name.as_str()) => Ok(InitLoraWeights::Uniform),
        Some(value) => match value.as_str().and_then(InitLoraWeights::from_name) {
            Some(InitLoraWeights::PissaIterations(_)) => unsupported(value, CONVERTED),
            Some(init) => Ok(init),
            None => unsupported(value, "pissa, olora or a method that does not change the base weights"),
        },
    }
}

/// The remedy for base weights that depend on random numbers.
const CONVERTED: &str =
    "an adapter that PEFT's save_pretrained converted with path_initial_model_for_weight_conversion";

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        _ => false,
    }
}

/// Writes the file in the format of PEFT.
pub(super) fn write(
    config: &LoraConfig,
    base_model_name_or_path: &str,
    path: &Path,
) -> Result<(), ModelError> {
    let defaults = json!({
        "peft_type": "LORA",
        "task_type": "SEQ_CLS",
        "base_model_name_or_path": base_model_name_or_path,
        "inference_mode": true,
        "fan_in_fan_out": false,
        "exclude_modules": null,
        "layers_to_transform": null,
        "layers_pattern": null,
        "rank_pattern": {},
        "alpha_pattern": {},
    });
    let resolved = LoraConfig { modules_to_save: Some(config.modules_to_save()), ..config.clone() };
    let settings = serde_json::to_value(resolved).expect("settings are JSON");
    let objects = [defaults, settings].into_iter().filter_map(|value| value.as_object().cloned());
    let mut keys = objects.flatten().collect::<BTreeMap<_, _>>();
    for key in ["lora_alpha", "alpha_pattern"] {
        keys.entry(key.into()).and_modify(|value| *value = as_integer(value.take()));
    }
    let text = serde_json::to_string_pretty(&keys).expect("a config is JSON") + "\n";
    fs::write(path, text).map_err(|source| ModelError::File { path: path.into(), source })
}

/// Converts numbers without a fractional part to integers, as PEFT writes them.
fn as_integer(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < 1e15) {
            Some(integer) => Value::from(integer as i64),
            None => Value::Number(number),
        },
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, as_integer(value))).collect(),
        other => other,
    }
}
