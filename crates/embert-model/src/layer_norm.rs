//! Layer normalization: y = γ·(x − μ)/√(σ² + ε) + β.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use embert_kernels::{DropoutSite, SequenceLayout};

use crate::encoder_config::EncoderConfig;
use crate::parameters::zeros;

/// Layer normalization of each row: y = γ·(x − μ)/√(σ² + ε) + β (Ba et al., 2016).
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// γ, `[hidden]`.
    pub weight: Param<Tensor<1>>,
    /// β, `[hidden]`; `None` means 0.
    pub bias: Option<Param<Tensor<1>>>,
    epsilon: f64,
}

impl LayerNorm {
    /// ModernBERT has no biases.
    pub(crate) fn zeros(size: usize, config: &EncoderConfig, device: &Device) -> Self {
        Self {
            weight: zeros([size], device),
            bias: config.modernbert.is_none().then(|| zeros([size], device)),
            epsilon: config.layer_norm_eps,
        }
    }

    /// Normalizes each row of `x`.
    ///
    /// # Shapes
    /// - `x`, output: `[num_tokens, hidden]`
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        embert_kernels::layer_norm(x, self.weight.val(), self.bias(), self.epsilon)
    }

    /// Returns LayerNorm(residual + dropout(x + c)).
    ///
    /// # Shapes
    /// - `x`, `residual`, output: `[num_tokens, hidden]`
    /// - `x_bias` (c): `[hidden]`
    pub fn add_forward(
        &self,
        [x, residual]: [Tensor<2>; 2],
        x_bias: Option<Tensor<1>>,
        layout: &SequenceLayout,
        site: Option<DropoutSite>,
    ) -> Tensor<2> {
        let (weight, bias) = (self.weight.val(), self.bias());
        embert_kernels::add_layer_norm([x, residual], x_bias, weight, bias, self.epsilon, layout, site)
    }

    fn bias(&self) -> Option<Tensor<1>> {
        self.bias.as_ref().map(Param::val)
    }
}
