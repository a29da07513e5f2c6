//! Adding LoRA adapters to a model. All other parameters are frozen.

use std::collections::BTreeSet;

use crate::ModelError;
use crate::classification::AutoModelForSequenceClassification;
use crate::linear::Linear;
use crate::lora::config::{LoraConfig, ModuleNames};
use crate::lora::init_lora_weights::InitLoraWeights;
use crate::lora::initial_values::add_new;
use crate::lora::matching::{has_name_suffix, matches_pattern};
use crate::lora::trained_parameters::TrainedParameters;
use crate::parameters::{PreTrainedModel, parameters, set_trainable};

/// Adds an adapter to each linear layer that `config` selects, and freezes the parameters that PEFT freezes.
///
/// The output of the model does not change. By default B is 0, and A is drawn from U(-1/√in, 1/√in), which is
/// `kaiming_uniform_(a=√5)` in PEFT. The same seed gives the same values on every device. PiSSA and OLoRA change
/// the frozen weights of the adapted layers, as in PEFT.
/// [`AutoModelForSequenceClassification::lora`] returns the settings.
///
/// # Errors
/// [`ModelError::Lora`] if a setting is invalid or a name matches no module. The message lists the modules of
/// the model.
pub fn add_adapter(
    mut model: AutoModelForSequenceClassification,
    config: &LoraConfig,
    seed: u64,
) -> Result<AutoModelForSequenceClassification, ModelError> {
    let linear_layers = model.linear_layers().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    check_targets(config, &linear_layers)?;
    check_patterns(config, &linear_layers)?;
    check_saved_modules(config, &model)?;
    let config = with_new_layers_of_head(config, &model);
    inject(model, &config, seed)
}

/// Returns the config with the dense layer of the head in `modules_to_save`, if the config names no modules and would not
/// train it. PEFT freezes the new pooler of DeBERTa at its random weights, and does not save it.
fn with_new_layers_of_head(config: &LoraConfig, model: &AutoModelForSequenceClassification) -> LoraConfig {
    let head = model.architecture().head;
    let dense = head.dense.map(|(name, _)| name).filter(|_| !head.pretrained_dense);
    match dense.filter(|dense| config.modules_to_save.is_none() && !config.is_saved_module(dense)) {
        Some(dense) => LoraConfig { modules_to_save: Some(vec![dense.into()]), ..config.clone() },
        None => config.clone(),
    }
}

/// Adds adapters as [`add_adapter`] does, but fails only if no layer matches at all.
pub(super) fn inject(
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
            let scale = config.adapter_scale(&name)?;
            check_rank(linear, &name, scale.r, config.init_lora_weights)?;
            add_new(linear, &name, scale, &config, seed);
            adapters += 1;
        }
        linear_layers.push(name);
    }
    if adapters == 0 {
        let reason = format!("no linear layer matches; the model has {}", listed(&linear_layers));
        return Err(ModelError::Lora { key: "target_modules", reason });
    }
    model.lora = Some(config);
    let trained = TrainedParameters::of(&model).expect("it has adapters");
    Ok(set_trainable(model, &|name| trained.contains(name)))
}

/// Returns the config with PEFT's default target modules of the family, if it has none.
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
        let (family, layers) = (architecture.model_type, listed(&linear_layers));
        let reason = format!("{family} has no default target modules; choose from {layers}");
        return Err(ModelError::Lora { key: "target_modules", reason });
    }
    let targets = targets.iter().map(|target| target.to_string()).collect();
    Ok(LoraConfig { target_modules: Some(ModuleNames::Names(targets)), ..config.clone() })
}

/// Checks that W has r singular values, if the initial A and B need them. Else the rank is at most in + out: a saved
/// PiSSA adapter has twice its rank, and a higher one would need much more memory than W.
fn check_rank(linear: &Linear, name: &str, r: usize, init: InitLoraWeights) -> Result<(), ModelError> {
    let [input, output] = linear.weight.dims();
    let max = if init.changes_base() { input.min(output) } else { input + output };
    if r <= max {
        return Ok(());
    }
    let reason =
        format!("a rank is {r}, but {name} has {input} inputs and {output} outputs; the maximum is {max}");
    Err(ModelError::Lora { key: "r", reason })
}

/// Checks that each name in `target_modules` matches a linear layer, regardless of `layers_to_transform`.
fn check_targets(config: &LoraConfig, linear_layers: &[String]) -> Result<(), ModelError> {
    let Some(ModuleNames::Names(targets)) = &config.target_modules else { return Ok(()) };
    let matches = |target: &str| linear_layers.iter().any(|name| has_name_suffix(name, target));
    match targets.iter().find(|target| !matches(target)) {
        None => Ok(()),
        Some(target) => {
            let reason = format!("{target} matches no linear layer; the model has {}", listed(linear_layers));
            Err(ModelError::Lora { key: "target_modules", reason })
        }
    }
}

/// Checks that each key of `rank_pattern` and `alpha_pattern` matches a linear layer.
fn check_patterns(config: &LoraConfig, linear_layers: &[String]) -> Result<(), ModelError> {
    let ranks = config.rank_pattern.keys().map(|pattern| ("rank_pattern", pattern));
    for (key, pattern) in ranks.chain(config.alpha_pattern.keys().map(|pattern| ("alpha_pattern", pattern))) {
        let matches = linear_layers
            .iter()
            .map(|name| matches_pattern(key, pattern, name))
            .collect::<Result<Vec<_>, _>>()?;
        if !matches.contains(&true) {
            let reason =
                format!("{pattern} matches no linear layer; the model has {}", listed(linear_layers));
            return Err(ModelError::Lora { key, reason });
        }
    }
    Ok(())
}

/// Checks that each name in `modules_to_save` matches a module.
fn check_saved_modules(
    config: &LoraConfig,
    model: &AutoModelForSequenceClassification,
) -> Result<(), ModelError> {
    let parameters = parameters(model);
    let names = parameters.iter().map(|parameter| parameter.name.as_str());
    let modules = names.flat_map(|name| name.match_indices('.').map(|(dot, _)| &name[..dot]));
    let modules = modules.collect::<BTreeSet<_>>();
    let named = config.modules_to_save.iter().flatten();
    let mut missing = named.filter(|suffix| !modules.iter().any(|module| module.ends_with(suffix.as_str())));
    match missing.next() {
        None => Ok(()),
        Some(suffix) => {
            let modules = modules.into_iter().map(String::from).collect::<Vec<_>>();
            let reason = format!("no module name ends with {suffix}; the model has {}", listed(&modules));
            Err(ModelError::Lora { key: "modules_to_save", reason })
        }
    }
}

/// Returns a list of the names without the layer number and everything before it, without duplicates.
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
