//! Layer-wise decay of the learning rate (Sun et al., 2019): η·dᵏ for a parameter k levels below the head. The
//! top layer has k = 1, the embeddings below all L layers k = L + 1.

use burn::module::Module;
use embert_model::names::{Part, hugging_face_name};

use crate::parameters::parameters;

/// d, and how many layers there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerDecay {
    decay: f64,
    num_layers: usize,
}

impl LayerDecay {
    pub(crate) fn of<M: Module>(model: &M, decay: f64) -> Self {
        let layers = parameters(model).into_iter().filter_map(|parameter| match Part::of(&parameter.name) {
            Part::Layer(number) => Some(number + 1),
            Part::Embeddings | Part::Head => None,
        });
        Self { decay, num_layers: layers.max().unwrap_or(0) }
    }

    /// dᵏ of the parameter at this module path.
    pub(crate) fn factor(&self, path: &str) -> f64 {
        let levels_below = match Part::of(&hugging_face_name(path)) {
            Part::Head => 0,
            Part::Layer(number) => self.num_layers - number,
            Part::Embeddings => self.num_layers + 1,
        };
        self.decay.powi(levels_below as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_learns_fastest_and_the_embeddings_slowest() {
        let decay = LayerDecay { decay: 0.5, num_layers: 2 };
        let paths =
            ["classifier.bias", "bert.pooler.dense.bias", "bert.encoder.layer.1.x", "bert.encoder.layer.0.x"];
        assert_eq!(paths.map(|path| decay.factor(path)), [1.0, 1.0, 0.5, 0.25]);
        assert_eq!(decay.factor("bert.embeddings.layer_norm.bias"), 0.125);
        assert_eq!(LayerDecay { decay: 1.0, ..decay }.factor("bert.embeddings.layer_norm.bias"), 1.0);
    }
}
