//! The set of parameters that training updates and saves: adapters, `modules_to_save` and biases.

use std::collections::BTreeSet;

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::config::{LoraBias, LoraConfig};
use crate::lora::names;
use crate::parameters::parameters;

/// The set of trained parameters of a model with adapters, by Hugging Face name.
pub(super) struct TrainedParameters {
    config: LoraConfig,
    /// Names of the linear layers with an adapter.
    adapted: BTreeSet<String>,
}

impl TrainedParameters {
    /// Returns the set for a model; `None` if it has no adapters.
    pub(super) fn of(model: &AutoModelForSequenceClassification) -> Option<Self> {
        let config = model.lora()?.clone();
        let adapted =
            parameters(model).into_iter().filter_map(|parameter| names::adapted_module(&parameter.name));
        Some(Self { config, adapted: adapted.collect() })
    }

    /// Returns the names of the linear layers with an adapter.
    pub(super) fn adapted_layers(&self) -> &BTreeSet<String> {
        &self.adapted
    }

    /// Returns true if the parameter is trained.
    pub(super) fn contains(&self, name: &str) -> bool {
        let Some((module, parameter)) = name.rsplit_once('.') else { return false };
        let is_trained_bias = match self.config.bias {
            LoraBias::None => false,
            LoraBias::All => parameter == "bias",
            LoraBias::LoraOnly => parameter == "bias" && self.adapted.contains(module),
        };
        names::is_adapter(name) || self.is_in_saved_module(name) || is_trained_bias
    }

    /// Returns true if the parameter belongs to a module in `modules_to_save`.
    pub(super) fn is_in_saved_module(&self, name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(module, _)| self.config.is_saved_module(module))
    }

    /// Returns the name in adapter_model.safetensors; `None` if the parameter is frozen.
    pub(super) fn name_in_file(&self, name: &str) -> Option<String> {
        self.contains(name).then(|| names::peft_name(name, |module| self.adapted.contains(module)))
    }
}
