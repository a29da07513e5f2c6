//! Whichever supported classifier a config names.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::SequenceLayout;

use crate::{
    AutoConfig, BertEmbeddings, BertEncoder, BertForSequenceClassification,
    DistilBertForSequenceClassification, Linear, LinearLayers, Pass,
};

/// One of the classifiers. Its parameters have the paths that they have in that classifier alone.
#[derive(Module, Debug)]
pub enum AutoModelForSequenceClassification {
    /// BERT, and what has its shape: MiniLM for one.
    Bert(BertForSequenceClassification),
    /// DistilBERT.
    DistilBert(DistilBertForSequenceClassification),
}

impl AutoModelForSequenceClassification {
    /// A model with random weights, as before pretraining: weights N(0, initializer_range²), biases 0, norms 1 and 0.
    /// The same seed gives the same weights on every device.
    pub fn new(config: &AutoConfig, seed: u64, device: &Device) -> Self {
        match config {
            AutoConfig::Bert(config) => BertForSequenceClassification::new(config, seed, device).into(),
            AutoConfig::DistilBert(config) => {
                DistilBertForSequenceClassification::new(config, seed, device).into()
            }
        }
    }

    pub(crate) fn zeros(config: &AutoConfig, device: &Device) -> Self {
        match config {
            AutoConfig::Bert(config) => BertForSequenceClassification::zeros(config, device).into(),
            AutoConfig::DistilBert(config) => {
                DistilBertForSequenceClassification::zeros(config, device).into()
            }
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
        match self {
            Self::Bert(model) => model.forward(input_ids, layout, pass),
            Self::DistilBert(model) => model.forward(input_ids, layout, pass),
        }
    }

    /// Ids to the first hidden states.
    pub fn embeddings(&self) -> &BertEmbeddings {
        match self {
            Self::Bert(model) => &model.bert.embeddings,
            Self::DistilBert(model) => &model.distilbert.embeddings,
        }
    }

    /// The layers.
    pub fn encoder(&self) -> &BertEncoder {
        match self {
            Self::Bert(model) => &model.bert.encoder,
            Self::DistilBert(model) => &model.distilbert.transformer,
        }
    }

    /// The head: what follows the last layer, dropout included.
    ///
    /// # Shapes
    /// - `first_tokens`: `[batch, hidden]`, after the last layer
    /// - output: `[batch, num_labels]`
    pub fn classify(&self, first_tokens: Tensor<2>, pass: Pass) -> Tensor<2> {
        match self {
            Self::Bert(model) => model.classify(first_tokens, pass),
            Self::DistilBert(model) => model.classify(first_tokens, pass),
        }
    }

    /// The head's last map, `[hidden, num_labels]`.
    pub fn classifier(&self) -> &Linear {
        match self {
            Self::Bert(model) => &model.classifier,
            Self::DistilBert(model) => &model.classifier,
        }
    }

    /// The number of labels that the model tells apart.
    pub fn num_labels(&self) -> usize {
        self.classifier().bias.dims()[0]
    }
}

impl LinearLayers for AutoModelForSequenceClassification {
    fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        match self {
            Self::Bert(model) => model.linear_layers(),
            Self::DistilBert(model) => model.linear_layers(),
        }
    }
}

impl From<BertForSequenceClassification> for AutoModelForSequenceClassification {
    fn from(model: BertForSequenceClassification) -> Self {
        Self::Bert(model)
    }
}

impl From<DistilBertForSequenceClassification> for AutoModelForSequenceClassification {
    fn from(model: DistilBertForSequenceClassification) -> Self {
        Self::DistilBert(model)
    }
}
