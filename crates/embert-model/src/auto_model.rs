//! Any supported encoder without a classification head.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, first_tokens};

use crate::pretrained::{Pretrained, load_encoder};
use crate::{AutoConfig, BertEmbeddings, BertEncoder, BertModel, DistilBertModel, ModelError, Pass};

/// An encoder without a classification head: embeddings, layers and, where the checkpoint has one, a pooler.
#[derive(Module, Debug)]
pub struct AutoModel {
    base: Base,
    has_pooler: bool,
}

/// The families, each under the prefix of its tensor names.
#[derive(Module, Debug)]
enum Base {
    Bert(Bert),
    DistilBert(DistilBert),
}

#[derive(Module, Debug)]
struct Bert {
    bert: BertModel,
}

#[derive(Module, Debug)]
struct DistilBert {
    distilbert: DistilBertModel,
}

impl AutoModel {
    /// Reads the encoder of a checkpoint directory. Heads in the files are listed as unused.
    ///
    /// # Errors
    /// Those of [`from_pretrained`](crate::from_pretrained) except errors about a classifier.
    pub fn from_pretrained(
        directory: &Path,
        config: &AutoConfig,
        device: &Device,
    ) -> Result<Pretrained<Self>, ModelError> {
        let zeros = || match config {
            AutoConfig::Bert(config) => Base::Bert(Bert { bert: BertModel::zeros(config, device) }),
            AutoConfig::DistilBert(config) => {
                Base::DistilBert(DistilBert { distilbert: DistilBertModel::zeros(config, device) })
            }
        };
        let Pretrained { model: base, newly_initialized, unused } = load_encoder(zeros, directory, config)?;
        let has_pooler = newly_initialized.is_empty() && matches!(base, Base::Bert(_));
        Ok(Pretrained { model: Self { base, has_pooler }, newly_initialized: vec![], unused })
    }

    /// The hidden states of the last layer.
    ///
    /// # Shapes
    /// - `input_ids`: `[num_tokens]`
    /// - output: `[num_tokens, hidden]`
    pub fn forward(&self, input_ids: Tensor<1, Int>, layout: &SequenceLayout, pass: Pass) -> Tensor<2> {
        let (embeddings, encoder) = self.parts();
        encoder.forward(embeddings.forward(input_ids, layout, pass), layout, pass)
    }

    /// Returns true if the checkpoint holds a pooler.
    pub fn has_pooler(&self) -> bool {
        self.has_pooler
    }

    /// tanh(x₀W + b) of each sequence's first token after the last layer; `None` without a pooler.
    ///
    /// # Shapes
    /// - `hidden_states`: `[num_tokens, hidden]`, of [`forward`](Self::forward)
    /// - output: `[batch, hidden]`
    pub fn pooler_output(
        &self,
        hidden_states: Tensor<2>,
        layout: &SequenceLayout,
        pass: Pass,
    ) -> Option<Tensor<2>> {
        match &self.base {
            Base::Bert(Bert { bert }) if self.has_pooler => {
                Some(bert.pooler.forward(first_tokens(hidden_states, layout), pass))
            }
            _ => None,
        }
    }

    fn parts(&self) -> (&BertEmbeddings, &BertEncoder) {
        match &self.base {
            Base::Bert(Bert { bert }) => (&bert.embeddings, &bert.encoder),
            Base::DistilBert(DistilBert { distilbert }) => (&distilbert.embeddings, &distilbert.transformer),
        }
    }
}
