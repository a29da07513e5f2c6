//! Binary cross-entropy with positive weights: L = −Σᵢ꜀ (p꜀·yᵢ꜀·log σ(xᵢ꜀) + (1 − yᵢ꜀)·log σ(−xᵢ꜀)) / (rows · labels).

use burn::tensor::Tensor;
use embert_kernels::cross_entropy_sum;

use super::focal::focal_loss_sum;
use super::matrix;

/// `torch.nn.BCEWithLogitsLoss(pos_weight=p)`, or its focal form.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabel {
    /// p, the weight of the positive examples of each label.
    pub pos_weight: Vec<f64>,
    /// γ of the focal form: each term gets the factor (1 − probability of the target)^γ. `None`: cross-entropy.
    pub focal_gamma: Option<f64>,
}

impl MultiLabel {
    /// Returns the number of decisions, rows · labels.
    pub(super) fn normalizer(&self, targets: &[Vec<bool>]) -> f64 {
        (targets.len() * self.pos_weight.len()) as f64
    }

    /// Returns the sum of the losses, `[1]`, for logits `[batch, num_labels]`.
    ///
    /// Each decision is a classification into two classes with the logits 0 and x, because softmax(0, x) is
    /// (σ(−x), σ(x)). So the sum is stable for all x.
    pub(super) fn loss_sum(&self, logits: Tensor<2>, targets: &[Vec<bool>]) -> Tensor<1> {
        let num_decisions = targets.len() * self.pos_weight.len();
        let x = logits.reshape([num_decisions, 1]);
        let two_classes = Tensor::cat(vec![x.zeros_like().detach(), x], 1); // [decisions, 2]
        let classes = targets.iter().flatten().map(|&target| usize::from(target)).collect::<Vec<_>>();
        let weights = self.weights(targets);
        match self.focal_gamma {
            Some(gamma) => focal_loss_sum(two_classes, &classes, weights, gamma),
            None => {
                let factors = classes
                    .iter()
                    .zip(weights)
                    .flat_map(|(class, weight)| if *class == 1 { [0.0, weight] } else { [weight, 0.0] });
                let factors = matrix(factors.collect(), [num_decisions, 2], &two_classes.device());
                cross_entropy_sum(two_classes, factors)
            }
        }
    }

    /// Returns the weight of each decision.
    fn weights(&self, targets: &[Vec<bool>]) -> Vec<f32> {
        let weight = |(&target, &pos_weight): (&bool, &f64)| if target { pos_weight as f32 } else { 1.0 };
        targets.iter().flat_map(|row| row.iter().zip(&self.pos_weight).map(weight)).collect()
    }
}
