//! Cross-entropy with label smoothing ε and class weights w, as a weighted sum of log-probabilities:
//! L = −Σᵢ Σ꜀ Tᵢ꜀ · log pᵢ꜀ / Σᵢ w(yᵢ), with Tᵢ꜀ = (1 − ε) · w(yᵢ) · [c = yᵢ] + ε/C · w(c).

use burn::tensor::{Device, Tensor, TensorData};

use crate::config::{ClassWeights, TrainConfig};
use crate::error::TrainError;

/// What a wrong prediction costs: `torch.nn.functional.cross_entropy(weight, label_smoothing)`, with its sum
/// ([`cross_entropy_sum`](embert_kernels::cross_entropy_sum)) and the number that divides it apart, so that several
/// micro-batches can make one mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossEntropy {
    /// ε, the share of a label's probability that is spread over all labels.
    pub label_smoothing: f64,
    /// One weight for each label.
    pub class_weights: Vec<f64>,
}

impl CrossEntropy {
    /// The loss that `config` asks for, on training examples of these labels.
    ///
    /// # Errors
    /// If the weights are not one for each label, or a label that must be balanced has no example.
    pub fn new(config: &TrainConfig, labels: &[usize], num_labels: usize) -> Result<Self, TrainError> {
        let class_weights = match &config.class_weights {
            ClassWeights::None => vec![1.0; num_labels],
            ClassWeights::Balanced => balanced(labels, num_labels)?,
            ClassWeights::List(weights) if weights.len() == num_labels => weights.clone(),
            ClassWeights::List(weights) => {
                return Err(TrainError::ClassWeights { found: weights.len(), num_labels });
            }
        };
        Ok(Self { label_smoothing: config.label_smoothing_factor, class_weights })
    }

    /// What divides the sum over these labels to make it a mean: Σᵢ w(yᵢ).
    pub fn normalizer(&self, labels: &[usize]) -> f64 {
        labels.iter().map(|&label| self.class_weights[label]).sum()
    }

    /// The factors T of the log-probabilities.
    ///
    /// # Shapes
    /// - output: `[batch, num_labels]`
    pub fn targets(&self, labels: &[usize], device: &Device) -> Tensor<2> {
        let num_labels = self.class_weights.len();
        let spread = self.label_smoothing / num_labels as f64;
        let factor = |label: usize, column: usize| {
            let own =
                if label == column { (1.0 - self.label_smoothing) * self.class_weights[label] } else { 0.0 };
            (own + spread * self.class_weights[column]) as f32
        };
        let factors =
            labels.iter().flat_map(|&label| (0..num_labels).map(move |column| factor(label, column)));
        let factors = TensorData::new(factors.collect::<Vec<_>>(), [labels.len(), num_labels]);
        Tensor::from_data(factors, device)
    }
}

fn balanced(labels: &[usize], num_labels: usize) -> Result<Vec<f64>, TrainError> {
    let mut counts = vec![0usize; num_labels];
    for &label in labels {
        counts[label] += 1;
    }
    if let Some(label) = counts.iter().position(|&count| count == 0) {
        return Err(TrainError::NothingToBalance { label });
    }
    let share = labels.len() as f64 / num_labels as f64;
    Ok(counts.into_iter().map(|count| share / count as f64).collect())
}
