//! Which parameters of an adapted model are trained, and so saved: adapters, saved modules and biases.

use std::collections::BTreeSet;

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::config::{LoraBias, LoraConfig};
use crate::lora::names;
use crate::parameters::parameters;

/// The choice of parameters by Hugging Face name.
pub(super) struct Trained {
    config: LoraConfig,
    /// The names of the linear layers that have an adapter.
    adapted: BTreeSet<String>,
}

impl Trained {
    /// The choice for a model that has adapters; `None` for a plain one.
    pub(super) fn of(model: &AutoModelForSequenceClassification) -> Option<Self> {
        let config = model.lora()?.clone();
        let adapted =
            parameters(model).into_iter().filter_map(|parameter| names::adapted_module(&parameter.name));
        Some(Self { config, adapted: adapted.collect() })
    }

    /// Returns true if this parameter is trained.
    pub(super) fn contains(&self, name: &str) -> bool {
        let Some((module, parameter)) = name.rsplit_once('.') else { return false };
        let by_bias = match self.config.bias {
            LoraBias::None => false,
            LoraBias::All => parameter == "bias",
            LoraBias::LoraOnly => parameter == "bias" && self.adapted.contains(module),
        };
        names::is_adapter(name) || self.is_in_saved_module(name) || by_bias
    }

    /// Returns true if this parameter belongs to a module that is saved whole.
    pub(super) fn is_in_saved_module(&self, name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(module, _)| self.config.saves_module(module))
    }

    /// The name under which PEFT's file has this parameter; `None` for a frozen one.
    pub(super) fn name_in_file(&self, name: &str) -> Option<String> {
        self.contains(name).then(|| names::peft_name(name, |module| self.adapted.contains(module)))
    }
}
