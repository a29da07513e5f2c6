//! BERT with a classifier: logits = dropout(pooler_output)·W + b.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, dropout};

use crate::initialize::initialize;
use crate::linear::LinearLayers;
use crate::names::hugging_face_name;
use crate::pass::LinearPass;
use crate::{BertConfig, BertModel, Linear, Pass};

/// The number by which dropout knows the classifier; layers count from 0.
pub(crate) const CLASSIFIER: usize = u16::MAX as usize - 1;

/// BERT with a linear classifier on the pooled first token.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    /// The encoder.
    pub bert: BertModel,
    /// `[hidden, num_labels]`
    pub classifier: Linear,
    classifier_dropout: f64,
}

impl BertForSequenceClassification {
    /// A model with random weights, as BERT's are before pretraining: weights N(0, initializer_range²), biases 0,
    /// norms 1 and 0. The same seed gives the same weights on every device.
    pub fn new(config: &BertConfig, seed: u64, device: &Device) -> Self {
        initialize(Self::zeros(config, device), seed, config.initializer_range)
    }

    pub(crate) fn zeros(config: &BertConfig, device: &Device) -> Self {
        Self {
            bert: BertModel::zeros(config, device),
            classifier: Linear::zeros(config.hidden_size, config.num_labels(), device),
            classifier_dropout: config.classifier_dropout.unwrap_or(config.hidden_dropout_prob),
        }
    }

    /// The scores of each label before the softmax.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`, sequences one after another as `layout` says
    /// - output: `[batch, num_labels]`
    ///
    /// # Panics
    /// If there are not as many ids as the layout has rows.
    pub fn forward(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let x = self.bert.embeddings.forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.classify(self.bert.encoder.forward_first(x, layout, pass), pass)
    }

    /// The head: dropout(tanh(x₀V + c))·W + b.
    ///
    /// # Shapes
    /// - `first_tokens`: `[batch, hidden]`, after the last layer
    /// - output: `[batch, num_labels]`
    pub fn classify(&self, first_tokens: Tensor<2>, pass: Pass) -> Tensor<2> {
        let pooled = self.bert.pooler.forward(first_tokens, pass); // [batch, hidden]
        let site = pass.site(CLASSIFIER, 0, self.classifier_dropout);
        let at = LinearPass { pass, layer: CLASSIFIER, site: 1, layout: None };
        self.classifier.forward(dropout(pooled, None, site), at) // [batch, num_labels]
    }
}

impl LinearLayers for BertForSequenceClassification {
    fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let bert = self.bert.linear_layers().into_iter();
        let mut layers = bert
            .map(|(path, linear)| (hugging_face_name(&format!("bert.{path}")), linear))
            .collect::<Vec<_>>();
        layers.push(("classifier".into(), &mut self.classifier));
        layers
    }
}
