//! Prediction for one text.

use crate::scores::{predicted_label, probabilities};

/// Predicted label of a text, and the probabilities of all labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The name of the label with the highest probability.
    pub label: String,
    /// The probability of the predicted label.
    pub score: f32,
    /// The probability of each label, by id: the softmax of the logits.
    pub scores: Vec<f32>,
}

impl Prediction {
    /// Returns the prediction for a row of logits. `labels` are the label names by id.
    ///
    /// # Panics
    /// If `logits` is empty, or `labels` is shorter than `logits`.
    pub fn new(logits: &[f32], labels: &[String]) -> Self {
        let label = predicted_label(logits);
        let scores = probabilities(logits).into_iter().map(|score| score as f32).collect::<Vec<_>>();
        Self { label: labels[label].clone(), score: scores[label], scores }
    }
}
