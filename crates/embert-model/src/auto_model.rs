//! Any supported encoder without a classification head: embeddings, layers, pooler.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, first_tokens};

use crate::ModelError;
use crate::architectures::Architecture;
use crate::auto_config::AutoConfig;
use crate::embeddings::BertEmbeddings;
use crate::encoder::BertEncoder;
use crate::linear::Linear;
use crate::loading::{Pretrained, load};
use crate::parameters::PreTrainedModel;
use crate::pass::Pass;
use crate::pooler::BertPooler;

/// An encoder of any family, without a classification head.
#[derive(Module, Debug)]
pub struct AutoModel {
    /// Ids to the first hidden states.
    pub embeddings: BertEmbeddings,
    /// The layers.
    pub encoder: BertEncoder,
    /// One vector for each sequence; `None` if the family or the checkpoint has none.
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

    /// Reads the encoder of a checkpoint directory, of a classifier or of a base model. Heads in the files are listed as
    /// unused.
    ///
    /// # Errors
    /// Those of [`from_pretrained`](crate::from_pretrained) except errors about a classifier.
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
    /// - `input_ids`: `[num_tokens]`, sequences one after another as `layout` says
    /// - output: `[num_tokens, hidden]`
    ///
    /// # Panics
    /// If there are not as many ids as the layout has rows.
    pub fn forward(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let x = self.embeddings.forward(input_ids, layout, pass); // [num_tokens, hidden]
        self.encoder.forward(x, layout, pass)
    }

    /// Returns true if the checkpoint has a pooler.
    pub fn has_pooler(&self) -> bool {
        self.pooler.is_some()
    }

    /// tanh(x₀W + b) of each sequence's first token after the last layer; `None` without a pooler.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`, from [`forward`](Self::forward)
    /// - output: `[batch, hidden]`
    pub fn pooler_output(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> Option<Tensor<2>> {
        let pooler = self.pooler.as_ref()?;
        Some(pooler.forward(first_tokens(hidden_states, layout), pass))
    }

    /// Returns the hidden states after the embeddings and after each layer, in fp32 and without dropout: what
    /// `transformers` returns with `output_hidden_states=True`.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - each item: `[num_tokens, hidden]`
    pub fn hidden_states(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout) -> Vec<Tensor<2>> {
        let pass = Pass::default();
        let mut hidden_states = vec![self.embeddings.forward(input_ids, layout, pass)];
        hidden_states.extend(self.encoder.forward_each(hidden_states[0].clone(), layout, pass));
        hidden_states
    }

    /// The linear layers by module path.
    pub(crate) fn linear_layers(&mut self) -> impl Iterator<Item = (String, &mut Linear)> {
        let encoder = self.encoder.linear_layers();
        let encoder = encoder.map(|(path, linear)| (format!("encoder.{path}"), linear));
        encoder.chain(self.pooler.as_mut().map(|pooler| ("pooler.dense".into(), &mut pooler.dense)))
    }
}

impl PreTrainedModel for AutoModel {
    fn architecture(&self) -> &'static Architecture {
        self.architecture
    }
}
