//! Sequence classifier: an encoder with a classification head on the first token of each sequence, or on the mean of all
//! tokens.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, mean_pooling};

use crate::architectures::Architecture;
use crate::auto_config::AutoConfig;
use crate::auto_model::AutoModel;
use crate::embeddings::BertEmbeddings;
use crate::encoder::BertEncoder;
use crate::forward_context::{EncoderContext, ForwardContext};
use crate::head::ClassificationHead;
use crate::initialize::initialize;
use crate::linear::Linear;
use crate::lora::config::LoraConfig;
use crate::modernbert_config::ClassifierPooling;
use crate::parameters::PreTrainedModel;

/// Sequence classifier of any supported family, with or without LoRA adapters.
///
/// The counterpart of `AutoModelForSequenceClassification` in transformers.
#[derive(Module, Debug)]
pub struct AutoModelForSequenceClassification {
    /// Embeddings, layers and, if the head uses it, the pooler.
    pub base_model: AutoModel,
    /// The classification head.
    pub head: ClassificationHead,
    #[module(skip)]
    pooling: ClassifierPooling,
    /// The settings of the adapters, with the default target modules filled in.
    #[module(skip)]
    pub(crate) lora: Option<LoraConfig>,
}

impl AutoModelForSequenceClassification {
    /// Returns a model with random weights: weights N(0, initializer_range²), biases 0, LayerNorm weights 1. ModernBERT's
    /// weights have other standard deviations and are truncated.
    ///
    /// The same seed gives the same weights on every device.
    pub fn new(config: &AutoConfig, seed: u64, device: &Device) -> Self {
        initialize(Self::zeros(config, device), seed, &config.encoder, &|_| true)
    }

    /// Returns a model whose weights are 0. Each is allocated when it is first read.
    pub fn zeros(config: &AutoConfig, device: &Device) -> Self {
        let reads_pooler = config.architecture.head.dense.is_none();
        Self {
            base_model: AutoModel::zeros(config, reads_pooler, device),
            head: ClassificationHead::zeros(config, device),
            pooling: config.encoder.classifier_pooling(),
            lora: None,
        }
    }

    /// Returns the logits.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`, the sequences concatenated as described by `layout`
    /// - output: `[batch, num_labels]`
    ///
    /// # Panics
    /// If the number of ids differs from the number of rows of `layout`.
    pub fn forward(
        &self,
        input_ids: Tensor<1, Int>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        let x = self.embeddings().forward(input_ids, layout, context); // [num_tokens, hidden]
        let context = self.encoder().context(layout, context);
        self.forward_last(self.encoder().forward_below(x, &context), &context)
    }

    /// Returns the logits, from the input of the last layer.
    ///
    /// # Shapes
    /// - `x`: `[num_tokens, hidden]`
    /// - output: `[batch, num_labels]`
    pub fn forward_last(&self, x: Tensor<2>, context: &EncoderContext<'_>) -> Tensor<2> {
        let encoder = self.encoder();
        let pooled = match self.pooling {
            ClassifierPooling::Cls => encoder.forward_last_first(x, context),
            ClassifierPooling::Mean => mean_pooling(encoder.forward_last(x, context), context.layout),
        };
        self.classify(pooled, context.forward) // pooled: [batch, hidden]
    }

    /// Applies the pooler and the head, and returns the logits.
    ///
    /// # Shapes
    /// - `pooled`: `[batch, hidden]`, the first token of each sequence after the last layer, or the mean of all tokens
    /// - output: `[batch, num_labels]`
    pub fn classify(&self, pooled: Tensor<2>, context: ForwardContext) -> Tensor<2> {
        let x = match &self.base_model.pooler {
            Some(pooler) => pooler.forward(pooled, context), // [batch, hidden]
            None => pooled,
        };
        self.head.forward(x, context)
    }

    /// Returns the embeddings.
    pub fn embeddings(&self) -> &BertEmbeddings {
        &self.base_model.embeddings
    }

    /// Returns the embeddings, to change them.
    pub fn embeddings_mut(&mut self) -> &mut BertEmbeddings {
        &mut self.base_model.embeddings
    }

    /// Returns the encoder.
    pub fn encoder(&self) -> &BertEncoder {
        &self.base_model.encoder
    }

    /// Returns the last linear layer of the head, `[hidden, num_labels]`.
    pub fn classifier(&self) -> &Linear {
        &self.head.classifier
    }

    /// Returns the number of labels.
    pub fn num_labels(&self) -> usize {
        self.classifier().weight.dims()[1]
    }

    /// Returns the settings of the LoRA adapters; `None` for a model without adapters.
    pub fn lora(&self) -> Option<&LoraConfig> {
        self.lora.as_ref()
    }

    /// Returns the linear layers with their Hugging Face names, from the input to the head.
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

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::architectures::{
        ALBERT, BERT, CAMEMBERT, DEBERTA_V2, DISTILBERT, ELECTRA, MODERNBERT, MPNET, ROBERTA, XLM_ROBERTA,
    };
    use crate::deberta_config::DebertaConfig;
    use crate::encoder_config::EncoderConfig;
    use crate::parameters::parameters;

    /// Counted by transformers, with two labels. No weight is allocated.
    #[test]
    fn models_have_the_published_numbers_of_parameters() {
        let default = |architecture: &Architecture| (architecture.default_config)();
        let roberta = |vocab_size| EncoderConfig {
            vocab_size,
            max_position_embeddings: 514,
            type_vocab_size: Some(1),
            ..default(&ROBERTA)
        };
        let mpnet_base = EncoderConfig { max_position_embeddings: 514, ..default(&MPNET) };
        let electra_base = EncoderConfig { embedding_size: Some(768), ..default(&BERT) };
        let albert_base = EncoderConfig {
            hidden_size: 768,
            num_attention_heads: 12,
            intermediate_size: 3072,
            ..default(&ALBERT)
        };
        let square_albert = EncoderConfig {
            embedding_size: Some(384),
            hidden_size: 384,
            num_hidden_layers: 6,
            num_hidden_groups: Some(6),
            num_attention_heads: 12,
            intermediate_size: 1536,
            ..default(&ALBERT)
        };
        let deberta = |hidden_size, num_hidden_layers| EncoderConfig {
            hidden_size,
            num_hidden_layers,
            num_attention_heads: hidden_size / 64,
            intermediate_size: 4 * hidden_size,
            deberta: default(&DEBERTA_V2)
                .deberta
                .map(|deberta| DebertaConfig { position_buckets: Some(256), ..deberta }),
            ..default(&DEBERTA_V2)
        };
        for (architecture, encoder, expected) in [
            (&BERT, default(&BERT), 109_483_778),
            (&DISTILBERT, default(&DISTILBERT), 66_955_010),
            (&ROBERTA, roberta(50265), 124_647_170),
            (&XLM_ROBERTA, roberta(250_002), 278_045_186),
            (&CAMEMBERT, roberta(32005), 110_623_490),
            (&ELECTRA, electra_base, 109_483_778),
            (&ELECTRA, default(&ELECTRA), 13_549_314),
            (&ALBERT, albert_base, 11_685_122),
            (&ALBERT, square_albert, 22_661_378),
            (&MPNET, mpnet_base, 109_488_002),
            (&DEBERTA_V2, deberta(384, 12), 70_830_722),
            (&DEBERTA_V2, deberta(768, 6), 141_896_450),
            (&DEBERTA_V2, deberta(768, 12), 184_423_682),
            (&MODERNBERT, default(&MODERNBERT), 149_606_402),
        ] {
            let config = AutoConfig::new(architecture, encoder);
            let model = AutoModelForSequenceClassification::zeros(&config, &Device::flex());
            let count = parameters(&model).iter().map(|parameter| parameter.num_elements()).sum::<usize>();
            assert_eq!(count, expected, "{architecture:?}");
        }
    }
}
