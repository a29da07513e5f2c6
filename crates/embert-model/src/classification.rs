//! An encoder of any family with a classification head on each sequence's first token.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::SequenceLayout;

use crate::architectures::Architecture;
use crate::auto_config::AutoConfig;
use crate::auto_model::AutoModel;
use crate::embeddings::BertEmbeddings;
use crate::encoder::BertEncoder;
use crate::head::ClassificationHead;
use crate::initialize::initialize;
use crate::linear::Linear;
use crate::lora::config::LoraConfig;
use crate::parameters::PreTrainedModel;
use crate::pass::Pass;

/// A classifier of any family, plain or with adapters.
#[derive(Module, Debug)]
pub struct AutoModelForSequenceClassification {
    /// Embeddings, layers and, if the family's head reads it, the pooler.
    pub base_model: AutoModel,
    /// The layers above.
    pub head: ClassificationHead,
    /// The settings of the adapters, with the family's target modules.
    #[module(skip)]
    pub(crate) lora: Option<LoraConfig>,
}

impl AutoModelForSequenceClassification {
    /// A model with random weights, as before pretraining: weights N(0, initializer_range²), biases 0, norms 1 and 0.
    /// The same seed gives the same weights on every device.
    pub fn new(config: &AutoConfig, seed: u64, device: &Device) -> Self {
        initialize(Self::zeros(config, device), seed, config.encoder.initializer_range, &|_| true)
    }

    pub(crate) fn zeros(config: &AutoConfig, device: &Device) -> Self {
        let reads_pooler = config.architecture.head.dense.is_none();
        Self {
            base_model: AutoModel::zeros(config, reads_pooler, device),
            head: ClassificationHead::zeros(config, device),
            lora: None,
        }
    }

    /// Returns the scores of each label before the softmax.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`, sequences one after another as `layout` says
    /// - output: `[batch, num_labels]`
    ///
    /// # Panics
    /// If there are not as many ids as the layout has rows.
    pub fn forward(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let x = self.embeddings().forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.classify(self.encoder().forward_first(x, layout, pass), pass)
    }

    /// Applies pooler and head, dropout included.
    ///
    /// # Shapes
    /// - `first_tokens`: `[batch, hidden]`, after the last layer
    /// - output: `[batch, num_labels]`
    pub fn classify(&self, first_tokens: Tensor<2>, pass: Pass) -> Tensor<2> {
        let x = match &self.base_model.pooler {
            Some(pooler) => pooler.forward(first_tokens, pass), // [batch, hidden]
            None => first_tokens,
        };
        self.head.forward(x, pass)
    }

    /// Ids to the first hidden states.
    pub fn embeddings(&self) -> &BertEmbeddings {
        &self.base_model.embeddings
    }

    /// The layers.
    pub fn encoder(&self) -> &BertEncoder {
        &self.base_model.encoder
    }

    /// The head's last linear layer, `[hidden, num_labels]`.
    pub fn classifier(&self) -> &Linear {
        &self.head.classifier
    }

    /// The number of labels that the model tells apart.
    pub fn num_labels(&self) -> usize {
        self.classifier().weight.dims()[1]
    }

    /// The settings of its adapters; `None` for a plain model.
    pub fn lora(&self) -> Option<&LoraConfig> {
        self.lora.as_ref()
    }

    /// The linear layers under their Hugging Face names, from the input to the head.
    pub fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let architecture = self.architecture();
        let dense = self.head.dense.as_mut().map(|dense| ("head.dense".to_string(), dense));
        let layers = self.base_model.linear_layers().chain(dense);
        let layers = layers.chain([("head.classifier".to_string(), &mut self.head.classifier)]);
        layers.map(|(module, linear)| (architecture.name(&architecture.path(&module)), linear)).collect()
    }
}

impl PreTrainedModel for AutoModelForSequenceClassification {
    fn architecture(&self) -> &'static Architecture {
        self.base_model.architecture()
    }
}
