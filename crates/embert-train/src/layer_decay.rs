//! Layer-wise learning rate decay (Sun et al., 2019): η·dᵏ for a parameter k levels below the head. With L layers, the
//! top layer has k = 1 and the embeddings have k = L + 1.

use embert_model::{ModelPart, parameters};

use crate::model::Model;

/// The factor d and the number of layers L.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerDecay {
    decay: f64,
    num_layers: usize,
}

impl LayerDecay {
    pub(crate) fn of(model: &Model, decay: f64) -> Self {
        let layers = parameters(model).into_iter().filter_map(|parameter| match parameter.part {
            ModelPart::Layer(number) => Some(number + 1),
            ModelPart::Embeddings | ModelPart::Head => None,
        });
        Self { decay, num_layers: layers.max().unwrap_or(0) }
    }

    /// Returns dᵏ for the parameters of this part.
    pub(crate) fn factor(&self, part: ModelPart) -> f64 {
        let levels_below = match part {
            ModelPart::Head => 0,
            ModelPart::Layer(number) => self.num_layers - number,
            ModelPart::Embeddings => self.num_layers + 1,
        };
        self.decay.powi(levels_below as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_has_the_highest_rate_and_the_embeddings_the_lowest() {
        let decay = LayerDecay { decay: 0.5, num_layers: 2 };
        let parts = [ModelPart::Head, ModelPart::Layer(1), ModelPart::Layer(0), ModelPart::Embeddings];
        assert_eq!(parts.map(|part| decay.factor(part)), [1.0, 0.5, 0.25, 0.125]);
        assert_eq!(LayerDecay { decay: 1.0, ..decay }.factor(ModelPart::Embeddings), 1.0);
    }
}
