//! Numbers of parameters, counted like `print_trainable_parameters` of PEFT.

use crate::classification::AutoModelForSequenceClassification;
use crate::lora::trained_parameters::TrainedParameters;
use crate::parameters::parameters;

/// Numbers of parameters of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParameterCount {
    /// Parameters that are trained.
    pub trainable: usize,
    /// All parameters. Modules in `modules_to_save` count twice, because PEFT keeps a frozen copy of each
    /// (embert does not).
    pub all: usize,
}

/// Counts the parameters of a model, with or without adapters.
pub fn count_parameters(model: &AutoModelForSequenceClassification) -> ParameterCount {
    let trained = TrainedParameters::of(model);
    let mut count = ParameterCount::default();
    for parameter in parameters(model) {
        let size = parameter.num_elements();
        let [is_trained, is_copied] = match &trained {
            Some(trained) => [trained.contains(&parameter.name), trained.is_in_saved_module(&parameter.name)],
            None => [parameter.is_trainable, false],
        };
        count.trainable += if is_trained { size } else { 0 };
        count.all += if is_copied { 2 * size } else { size };
    }
    count
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::architectures::{Architecture, BERT, DISTILBERT};
    use crate::auto_config::AutoConfig;
    use crate::lora::{LoraConfig, ModuleNames, add_adapter};

    fn check(architecture: &'static Architecture, modules: &[&str], trainable: usize, all: usize) {
        let names = modules.iter().map(|module| module.to_string()).collect();
        let lora =
            LoraConfig { r: 4, target_modules: Some(ModuleNames::Names(names)), ..LoraConfig::default() };
        let config = AutoConfig::new(architecture, (architecture.default_config)());
        let model = AutoModelForSequenceClassification::zeros(&config, &Device::flex());
        let model = add_adapter(model, &lora, 0).unwrap();
        assert_eq!(count_parameters(&model), ParameterCount { trainable, all });
    }

    #[test]
    fn models_with_adapters_have_the_published_numbers_of_parameters() {
        check(&BERT, &["query", "key"], 148_994, 109_632_772);
        check(&DISTILBERT, &["q_lin"], 628_994, 67_584_004); // includes pre_classifier
    }
}
