//! How many parameters there are, counted as PEFT's `print_trainable_parameters` does.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::lora::LoraConfig;
use crate::lora::trained::Trained;
use crate::names::{ParameterVisitor, hugging_face_name, visit_parameters};

/// How many parameters a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParameterCount {
    /// Those that are trained.
    pub trainable: usize,
    /// All of them, and the frozen copies that PEFT keeps of modules that are saved whole. No such copies are kept here;
    /// they are counted for the same figure.
    pub all: usize,
}

/// Counts the parameters of a model that has its adapters.
pub fn count_parameters<M: Module>(model: &M, config: &LoraConfig) -> ParameterCount {
    let trained = Trained::new(model, config);
    let mut counter = Counter { trained, count: ParameterCount::default() };
    visit_parameters(model, &mut counter);
    counter.count
}

struct Counter<'a> {
    trained: Trained<'a>,
    count: ParameterCount,
}

impl ParameterVisitor for Counter<'_> {
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>) {
        let (name, size) = (hugging_face_name(path), param.lazy_shape().num_elements());
        self.count.trainable += if self.trained.contains(&name) { size } else { 0 };
        self.count.all += if self.trained.is_in_saved_module(&name) { 2 * size } else { size };
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::lora::ModuleNames;
    use crate::{
        BertConfig, BertForSequenceClassification, DistilBertConfig, DistilBertForSequenceClassification,
        add_adapter,
    };

    fn config(r: usize, modules: &[&str]) -> LoraConfig {
        let names = modules.iter().map(|module| module.to_string()).collect();
        LoraConfig { r, target_modules: Some(ModuleNames::Names(names)), ..LoraConfig::default() }
    }

    #[test]
    fn bert_base_has_the_published_counts() {
        let config = config(4, &["query", "key"]);
        let model = BertForSequenceClassification::zeros(&BertConfig::default(), &Device::flex());
        let count = count_parameters(&add_adapter(model, &config, 0).unwrap(), &config);
        assert_eq!(count, ParameterCount { trainable: 148_994, all: 109_632_772 });
    }

    #[test]
    fn distilbert_has_the_published_counts_with_its_pre_classifier() {
        let config = config(4, &["q_lin"]);
        let model = DistilBertForSequenceClassification::zeros(&DistilBertConfig::default(), &Device::flex());
        let count = count_parameters(&add_adapter(model, &config, 0).unwrap(), &config);
        assert_eq!(count, ParameterCount { trainable: 628_994, all: 67_584_004 });
    }
}
