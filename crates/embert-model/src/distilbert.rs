//! DistilBERT (Sanh et al., 2019) with a classifier: logits = dropout(relu(x₀V + c))·W + b of each first token.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, dropout};

use crate::classification::CLASSIFIER;
use crate::initialize::initialize;
use crate::linear::LinearLayers;
use crate::names::hugging_face_name;
use crate::pass::LinearPass;
use crate::{BertEmbeddings, BertEncoder, DistilBertConfig, Linear, Pass};

/// DistilBERT without a head: BERT's layers, without token types and without a pooler.
#[derive(Module, Debug)]
pub struct DistilBertModel {
    /// Ids to the first hidden states.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub transformer: BertEncoder,
}

impl DistilBertModel {
    pub(crate) fn zeros(config: &DistilBertConfig, device: &Device) -> Self {
        let config = config.encoder();
        Self {
            embeddings: BertEmbeddings::zeros(&config, device),
            transformer: BertEncoder::zeros(&config, device),
        }
    }

    /// After the embeddings and after each layer, in fp32 and without dropout: what `transformers` returns with
    /// `output_hidden_states=True`.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - each item: `[num_tokens, hidden]`
    pub fn hidden_states(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout) -> Vec<Tensor<2>> {
        let pass = Pass::default();
        let mut hidden_states = vec![self.embeddings.forward(input_ids, layout, pass)];
        hidden_states.extend(self.transformer.forward_each(hidden_states[0].clone(), layout, pass));
        hidden_states
    }
}

/// DistilBERT with a classifier of two layers on the first token.
#[derive(Module, Debug)]
pub struct DistilBertForSequenceClassification {
    /// The encoder.
    pub distilbert: DistilBertModel,
    /// V and c, `[hidden, hidden]`
    pub pre_classifier: Linear,
    /// W and b, `[hidden, num_labels]`
    pub classifier: Linear,
    seq_classif_dropout: f64,
}

impl DistilBertForSequenceClassification {
    /// A model with random weights, as before pretraining: weights N(0, initializer_range²), biases 0, norms 1 and 0.
    /// The same seed gives the same weights on every device.
    pub fn new(config: &DistilBertConfig, seed: u64, device: &Device) -> Self {
        initialize(Self::zeros(config, device), seed, config.initializer_range)
    }

    pub(crate) fn zeros(config: &DistilBertConfig, device: &Device) -> Self {
        Self {
            distilbert: DistilBertModel::zeros(config, device),
            pre_classifier: Linear::zeros(config.dim, config.dim, device),
            classifier: Linear::zeros(config.dim, config.num_labels(), device),
            seq_classif_dropout: config.seq_classif_dropout,
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
        let x = self.distilbert.embeddings.forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.classify(self.distilbert.transformer.forward_first(x, layout, pass), pass)
    }

    /// The head: dropout(relu(x₀V + c))·W + b.
    ///
    /// # Shapes
    /// - `first_tokens`: `[batch, hidden]`, after the last layer
    /// - output: `[batch, num_labels]`
    pub fn classify(&self, first_tokens: Tensor<2>, pass: Pass) -> Tensor<2> {
        let at = |site| LinearPass { pass, layer: CLASSIFIER, site, layout: None };
        let x = relu(self.pre_classifier.forward(first_tokens, at(2))); // [batch, hidden]
        let site = pass.site(CLASSIFIER, 0, self.seq_classif_dropout);
        self.classifier.forward(dropout(x, None, site), at(1))
    }
}

impl LinearLayers for DistilBertForSequenceClassification {
    fn linear_layers(&mut self) -> Vec<(String, &mut Linear)> {
        let layers = self.distilbert.transformer.linear_layers();
        let mut layers = layers
            .map(|(path, linear)| (hugging_face_name(&format!("distilbert.transformer.{path}")), linear))
            .collect::<Vec<_>>();
        layers.push(("pre_classifier".into(), &mut self.pre_classifier));
        layers.push(("classifier".into(), &mut self.classifier));
        layers
    }
}
