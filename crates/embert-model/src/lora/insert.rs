//! Putting adapters into a model: A is drawn from U(-1/√in, 1/√in), B is 0, and all else is frozen.

use std::collections::BTreeSet;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use crate::ModelError;
use crate::classification::AutoModelForSequenceClassification;
use crate::initialize::uniform_values;
use crate::linear::Linear;
use crate::lora::config::{LoraConfig, ModuleNames};
use crate::lora::low_rank::Lora;
use crate::lora::matching::{Strength, ends_with_name, is_end};
use crate::lora::names::lora_a_name;
use crate::lora::trained::Trained;
use crate::parameters::{PreTrainedModel, parameters, set_trainable};

/// Adds an adapter to each linear layer that `config` matches, and freezes everything that PEFT does not train. The model
/// keeps `config`.
///
/// The model computes what it did: B is 0. A is PEFT's `kaiming_uniform_(a=√5)`, the same for the same seed on every
/// device.
///
/// # Errors
/// [`ModelError::Lora`] for a setting that cannot be, and for a name that matches nothing in this model: it lists what
/// there is.
pub fn add_adapter(
    mut model: AutoModelForSequenceClassification,
    config: &LoraConfig,
    seed: u64,
) -> Result<AutoModelForSequenceClassification, ModelError> {
    let linear_layers = model.linear_layers().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    check_targets(config, &linear_layers)?;
    check_patterns(config, &linear_layers)?;
    check_saved_modules(config, &model)?;
    insert(model, config, seed)
}

/// Adds adapters as [`add_adapter`] does, but fails only if no layer matches at all.
pub(super) fn insert(
    mut model: AutoModelForSequenceClassification,
    config: &LoraConfig,
    seed: u64,
) -> Result<AutoModelForSequenceClassification, ModelError> {
    config.validate()?;
    let config = with_default_targets(config, &mut model)?;
    let mut linear_layers = vec![];
    let mut adapters = 0;
    for (name, linear) in model.linear_layers() {
        if config.adapts(&name)? {
            let strength = config.strength(&name)?;
            check_rank(linear, &name, strength.r)?;
            linear.lora = Some(adapter(linear, &name, strength, config.lora_dropout, seed));
            adapters += 1;
        }
        linear_layers.push(name);
    }
    if adapters == 0 {
        let reason = format!("no linear layer is meant; there are {}", listed(&linear_layers));
        return Err(ModelError::Lora { key: "target_modules", reason });
    }
    model.lora = Some(config);
    let trained = Trained::of(&model).expect("it has adapters");
    Ok(set_trainable(model, &|name| trained.contains(name)))
}

/// The config with PEFT's target modules for the model's family, if it names none.
fn with_default_targets(
    config: &LoraConfig,
    model: &mut AutoModelForSequenceClassification,
) -> Result<LoraConfig, ModelError> {
    if config.target_modules.is_some() {
        return Ok(config.clone());
    }
    let architecture = model.architecture();
    let targets = architecture.lora_target_modules;
    if targets.is_empty() {
        let linear_layers = model.linear_layers().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let (family, there_are) = (architecture.model_type, listed(&linear_layers));
        let reason = format!("{family} has no default, so name some; there are {there_are}");
        return Err(ModelError::Lora { key: "target_modules", reason });
    }
    let targets = targets.iter().map(|target| target.to_string()).collect();
    Ok(LoraConfig { target_modules: Some(ModuleNames::Names(targets)), ..config.clone() })
}

/// A·B of a higher rank than W has is no smaller than W, and may be larger than any memory.
fn check_rank(linear: &Linear, name: &str, r: usize) -> Result<(), ModelError> {
    let [input, output] = linear.weight.dims();
    let most = input.max(output);
    if r <= most {
        return Ok(());
    }
    let reason = format!(
        "a rank is {r}, and {name} has {input} inputs and {output} outputs; set it to {most} or less"
    );
    Err(ModelError::Lora { key: "r", reason })
}

fn adapter(linear: &Linear, name: &str, strength: Strength, dropout: f64, seed: u64) -> Lora {
    let Strength { r, scaling } = strength;
    let ([input, output], device) = (linear.weight.lazy_shape().dims(), linear.weight.lazy_device());
    let a = uniform_values(&lora_a_name(name), input * r, seed, 1.0 / (input as f64).sqrt());
    Lora {
        lora_a: Param::from_tensor(Tensor::from_data(TensorData::new(a, [input, r]), &device)),
        lora_b: Param::from_tensor(Tensor::zeros([r, output], &device)),
        scaling,
        dropout,
    }
}

/// Every name in the list of target modules is that of a linear layer, whichever layers are transformed.
fn check_targets(config: &LoraConfig, linear_layers: &[String]) -> Result<(), ModelError> {
    let Some(ModuleNames::Names(targets)) = &config.target_modules else { return Ok(()) };
    let means = |target: &str| linear_layers.iter().any(|name| ends_with_name(name, target));
    match targets.iter().find(|target| !means(target)) {
        None => Ok(()),
        Some(target) => {
            let reason =
                format!("{target} is no linear layer of this model; there are {}", listed(linear_layers));
            Err(ModelError::Lora { key: "target_modules", reason })
        }
    }
}

/// Every key of a pattern means a linear layer.
fn check_patterns(config: &LoraConfig, linear_layers: &[String]) -> Result<(), ModelError> {
    let ranks = config.rank_pattern.keys().map(|pattern| ("rank_pattern", pattern));
    for (key, pattern) in ranks.chain(config.alpha_pattern.keys().map(|pattern| ("alpha_pattern", pattern))) {
        let means =
            linear_layers.iter().map(|name| is_end(key, pattern, name)).collect::<Result<Vec<_>, _>>()?;
        if !means.contains(&true) {
            let reason =
                format!("{pattern} is no linear layer of this model; there are {}", listed(linear_layers));
            return Err(ModelError::Lora { key, reason });
        }
    }
    Ok(())
}

/// Every module to save that the caller named is there.
fn check_saved_modules(
    config: &LoraConfig,
    model: &AutoModelForSequenceClassification,
) -> Result<(), ModelError> {
    let parameters = parameters(model);
    let names = parameters.iter().map(|parameter| parameter.name.as_str());
    let modules = names.flat_map(|name| name.match_indices('.').map(|(dot, _)| &name[..dot]));
    let modules = modules.collect::<BTreeSet<_>>();
    let named = config.modules_to_save.iter().flatten();
    let mut missing = named.filter(|end| !modules.iter().any(|module| module.ends_with(end.as_str())));
    match missing.next() {
        None => Ok(()),
        Some(end) => {
            let modules = modules.into_iter().map(String::from).collect::<Vec<_>>();
            let reason = format!("no module's name ends with {end}; there are {}", listed(&modules));
            Err(ModelError::Lora { key: "modules_to_save", reason })
        }
    }
}

/// The names without the number of a layer and what stands before it, each once.
fn listed(names: &[String]) -> String {
    let mut short = vec![];
    for name in names {
        let mut parts = name.split('.').collect::<Vec<_>>();
        if let Some(number) = parts.iter().position(|part| part.parse::<usize>().is_ok()) {
            parts.drain(..=number);
        }
        let part = parts.join(".");
        if !part.is_empty() && !short.contains(&part) {
            short.push(part);
        }
    }
    short.join(", ")
}
