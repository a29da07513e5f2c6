//! The `target_modules` of a saved adapter. PEFT matches a pattern with all modules, and fails if one is not a linear
//! layer.

use std::collections::BTreeSet;

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::config::{LoraConfig, ModuleNames};
use crate::lora::matching::with_parents;
use crate::lora::names;
use crate::lora::trained_parameters::TrainedParameters;
use crate::parameters::parameters;

/// The names in transformers of modules without weights, in all families.
const WITHOUT_WEIGHTS: [&str; 12] = [
    "dropout",
    "pos_dropout",
    "attention_dropout",
    "output_dropout",
    "drop",
    "out_drop",
    "intermediate_act_fn",
    "activation",
    "pooler_activation",
    "act",
    "attn_norm",
    "rotary_emb",
];

/// Returns the config to save: with the names of the adapted layers, if its pattern selects other modules in PEFT, too.
pub(super) fn with_names_for_peft(
    config: &LoraConfig,
    model: &AutoModelForSequenceClassification,
    trained: &TrainedParameters,
) -> LoraConfig {
    let Some(ModuleNames::Pattern(pattern)) = &config.target_modules else { return config.clone() };
    let adapted = trained.adapted_layers();
    let others = modules(model).into_iter().filter(|module| !adapted.contains(module));
    if !config.selects_in_peft(pattern, others) {
        return config.clone();
    }
    let names = ModuleNames::Names(adapted.iter().cloned().collect());
    LoraConfig { target_modules: Some(names), ..config.clone() }
}

/// Returns the names of all modules. Some of those without weights exist only in other families.
fn modules(model: &AutoModelForSequenceClassification) -> BTreeSet<String> {
    let mut modules = BTreeSet::new();
    for parameter in parameters(model).into_iter().filter(|parameter| !names::is_adapter(&parameter.name)) {
        let Some((module, _)) = parameter.name.rsplit_once('.') else { continue };
        modules.extend(with_parents(module).map(String::from));
        for parent in with_parents(module).filter(|&parent| parent != module) {
            modules.extend(WITHOUT_WEIGHTS.map(|name| format!("{parent}.{name}")));
        }
    }
    modules
}
