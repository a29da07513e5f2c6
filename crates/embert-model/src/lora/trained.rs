//! Which parameters of an adapted model are trained, and so saved: adapters, saved modules and biases.

use std::collections::BTreeSet;

use burn::module::Module;

use crate::lora::{LoraBias, LoraConfig};
use crate::names;

/// The choice of parameters by Hugging Face name.
pub(crate) struct Trained<'a> {
    config: &'a LoraConfig,
    /// The names of the linear layers that have an adapter.
    adapted: BTreeSet<String>,
}

impl<'a> Trained<'a> {
    /// The choice for a model that has its adapters.
    pub(crate) fn new<M: Module>(model: &M, config: &'a LoraConfig) -> Self {
        let adapted =
            names::parameter_names(model).into_iter().filter_map(|name| names::adapted_module(&name));
        Self { config, adapted: adapted.collect() }
    }

    /// Whether this parameter is trained.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let Some((module, parameter)) = name.rsplit_once('.') else { return false };
        let by_bias = match self.config.bias {
            LoraBias::None => false,
            LoraBias::All => parameter == "bias",
            LoraBias::LoraOnly => parameter == "bias" && self.adapted.contains(module),
        };
        names::is_adapter(name) || self.is_in_saved_module(name) || by_bias
    }

    /// Whether this parameter belongs to a module that is saved whole.
    pub(super) fn is_in_saved_module(&self, name: &str) -> bool {
        name.rsplit_once('.').is_some_and(|(module, _)| self.config.saves_module(module))
    }

    /// The name under which PEFT's file holds this parameter; none for one that is frozen.
    pub(super) fn name_in_file(&self, name: &str) -> Option<String> {
        self.contains(name).then(|| names::peft_name(name, |module| self.adapted.contains(module)))
    }
}
