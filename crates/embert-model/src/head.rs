//! Classification head: logits = dropout(act(xV + c))·W + b. A pooler can take the place of act(xV + c). Some families
//! drop out x, too, and ModernBERT has a LayerNorm after the activation.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use embert_kernels::{dropout, to_fp32};

use crate::architectures::Activation;
use crate::auto_config::AutoConfig;
use crate::forward_context::{ForwardContext, LinearContext};
use crate::layer_norm::LayerNorm;
use crate::linear::Linear;

/// The layer number of the head in dropout sites; layers are numbered from 0.
const HEAD: usize = u16::MAX as usize - 1;

/// Classification head: dense layer, activation, dropout and classifier.
#[derive(Module, Debug)]
pub struct ClassificationHead {
    /// V and c, `[hidden, hidden]`; `None` if the pooler of the base model is the dense layer.
    pub dense: Option<Linear>,
    /// LayerNorm after the activation, only in ModernBERT.
    pub norm: Option<LayerNorm>,
    /// W and b, `[hidden, num_labels]`.
    pub classifier: Linear,
    #[module(skip)]
    activation: Option<Activation>,
    /// Dropout rate of x before the dense layer.
    input_dropout: f64,
    dropout: f64,
}

impl ClassificationHead {
    pub(crate) fn zeros(config: &AutoConfig, device: &Device) -> Self {
        let (encoder, head) = (&config.encoder, &config.architecture.head);
        let dropout = encoder.classifier_dropout.unwrap_or(encoder.hidden_dropout_prob);
        let hidden_size = encoder.hidden_size;
        let dense = if encoder.modernbert.is_some() { Linear::zeros_without_bias } else { Linear::zeros };
        Self {
            dense: head.dense.map(|_| dense(hidden_size, hidden_size, device)),
            norm: head.norm.map(|_| LayerNorm::zeros(hidden_size, encoder, device)),
            classifier: Linear::zeros(hidden_size, config.num_labels(), device),
            activation: head.dense.map(|(_, activation)| activation),
            input_dropout: match &encoder.deberta {
                Some(deberta) => deberta.pooler_dropout,
                None if head.drops_input => dropout,
                None => 0.0,
            },
            dropout,
        }
    }

    /// Returns the logits.
    ///
    /// # Shapes
    /// - `x`: `[batch, hidden]`, the output of the pooler or the first tokens
    /// - output: `[batch, num_labels]`
    pub fn forward(&self, x: Tensor<2>, context: ForwardContext) -> Tensor<2> {
        let at = |site| LinearContext { forward: context, layer: HEAD, site, layout: None };
        let x = match self.dense.as_ref().zip(self.activation) {
            Some((dense, activation)) => {
                let x = dropout(x, None, context.site(HEAD, 3, self.input_dropout));
                activation(to_fp32(dense.forward(x, at(2)))) // [batch, hidden]
            }
            None => x,
        };
        let x = match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        let x = dropout(x, None, context.site(HEAD, 0, self.dropout));
        to_fp32(self.classifier.forward(x, at(1)))
    }
}
