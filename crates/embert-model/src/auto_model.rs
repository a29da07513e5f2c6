//! Encoder without a classification head: embeddings, layers, pooler.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, first_tokens};

use crate::ModelError;
use crate::architectures::Architecture;
use crate::auto_config::AutoConfig;
use crate::embeddings::BertEmbeddings;
use crate::encoder::BertEncoder;
use crate::forward_context::ForwardContext;
use crate::linear::Linear;
use crate::loading::{Pretrained, load};
use crate::parameters::PreTrainedModel;
use crate::pooler::BertPooler;

/// Encoder of any supported family, without a classification head.
///
/// The counterpart of `AutoModel` in transformers.
#[derive(Module, Debug)]
pub struct AutoModel {
    /// The embeddings.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub encoder: BertEncoder,
    /// The pooler; `None` if the family or the checkpoint has no pooler.
    pub pooler: Option<BertPooler>,
    #[module(skip)]
    architecture: &'static Architecture,
}

impl AutoModel {
    pub(crate) fn zeros(config: &AutoConfig, has_pooler: bool, device: &Device) -> Self {
        let AutoConfig { architecture, encoder, .. } = config;
        Self {
            embeddings: BertEmbeddings::zeros(encoder, device),
            encoder: BertEncoder::zeros(encoder, device),
            pooler: has_pooler.then(|| BertPooler::zeros(encoder.hidden_size, device)),
            architecture,
        }
    }

    /// Loads the encoder of a checkpoint directory. The checkpoint may be a classifier or a base model.
    ///
    /// Tensors of other heads are listed in [`Pretrained::unused`].
    ///
    /// # Errors
    /// The errors of [`from_pretrained`](crate::from_pretrained), except those about a classifier.
    pub fn from_pretrained(
        directory: &Path,
        config: &AutoConfig,
        device: &Device,
    ) -> Result<Pretrained<Self>, ModelError> {
        let zeros = |config: &AutoConfig| Self::zeros(config, config.architecture.has_pooler, device);
        let mut loaded = load(zeros, directory, config, 0, &|_| false)?;
        if !loaded.newly_initialized.is_empty() {
            (loaded.model.pooler, loaded.newly_initialized) = (None, vec![]);
        }
        Ok(loaded)
    }

    /// Returns the hidden states of the last layer.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`, the sequences concatenated as described by `layout`
    /// - output: `[num_tokens, hidden]`
    ///
    /// # Panics
    /// If the number of ids differs from the number of rows of `layout`.
    pub fn forward(
        &self,
        input_ids: Tensor<1, Int>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Tensor<2> {
        let x = self.embeddings.forward(input_ids, layout, context); // [num_tokens, hidden]
        self.encoder.forward(x, &self.encoder.context(layout, context))
    }

    /// Returns true if the model has a pooler.
    pub fn has_pooler(&self) -> bool {
        self.pooler.is_some()
    }

    /// Returns tanh(x₀W + b) of the first token of each sequence; `None` if the model has no pooler.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`, from [`forward`](Self::forward)
    /// - output: `[batch, hidden]`
    pub fn pooler_output(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        context: ForwardContext,
    ) -> Option<Tensor<2>> {
        let pooler = self.pooler.as_ref()?;
        Some(pooler.forward(first_tokens(hidden_states, layout), context))
    }

    /// Returns the hidden states after the embeddings and after each layer, in fp32 and without dropout.
    ///
    /// These are the hidden states that transformers returns with `output_hidden_states=True`.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - each item: `[num_tokens, hidden]`
    pub fn hidden_states(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout) -> Vec<Tensor<2>> {
        let context = ForwardContext::default();
        let mut hidden_states = vec![self.embeddings.forward(input_ids, layout, context)];
        let context = self.encoder.context(layout, context);
        hidden_states.extend(self.encoder.forward_each(hidden_states[0].clone(), &context));
        hidden_states
    }

    /// Returns the linear layers with their module paths.
    pub(crate) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let projection = self.embeddings.projection.as_mut();
        let projection = projection.map(|linear| ("embeddings.projection".into(), linear));
        let encoder = self.encoder.linear_layers();
        let encoder = encoder.map(|(path, linear)| (format!("encoder.{path}"), linear));
        projection
            .into_iter()
            .chain(encoder)
            .chain(self.pooler.as_mut().map(|pooler| ("pooler.dense".into(), &mut pooler.dense)))
    }
}

impl PreTrainedModel for AutoModel {
    fn architecture(&self) -> &'static Architecture {
        self.architecture
    }
}
