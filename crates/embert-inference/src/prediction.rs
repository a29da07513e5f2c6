//! Prediction for one text: the predicted labels, and the scores of all labels.

use embert_model::ProblemType;

use crate::scores::{predicted_label, predicted_labels, probabilities, sigmoids};

/// Predicted labels of a text, and the scores of all labels, as in the text-classification pipeline of transformers.
///
/// The pipeline differs for a config with one label and no `problem_type`, as of re-rankers: it returns the sigmoid of
/// the value. Here it is a regression, as in the loss of transformers.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The name of the label with the highest score; in regression, the name of the first target.
    pub label: String,
    /// The score of `label`.
    pub score: f32,
    /// The score of each label, by id: the softmax of the logits, with several labels a sigmoid for each label. In
    /// regression, the value of each target.
    pub scores: Vec<f32>,
    /// The names of the predicted labels. With one label per text, it is `label`. With several labels, it is each label
    /// whose score is at least its threshold; there may be none. In regression, it is the name of each target.
    pub labels: Vec<String>,
}

impl Prediction {
    /// Returns the prediction for a row of logits. `names` are the label names by id. `thresholds` are those of a
    /// multi-label model, by id; `None` is 0.5 for all labels.
    ///
    /// # Panics
    /// If `logits` is empty, or `names` or `thresholds` is shorter than `logits`.
    pub fn new(
        logits: &[f32],
        names: &[String],
        problem_type: ProblemType,
        thresholds: Option<&[f32]>,
    ) -> Self {
        let scores = scores(logits, problem_type);
        let (label, labels) = match problem_type {
            ProblemType::SingleLabelClassification => {
                let label = predicted_label(logits);
                (label, vec![label])
            }
            ProblemType::MultiLabelClassification => {
                (predicted_label(logits), predicted_labels(logits, thresholds))
            }
            ProblemType::Regression => (0, (0..logits.len()).collect()),
        };
        let labels = labels.into_iter().map(|label| names[label].clone()).collect();
        Self { label: names[label].clone(), score: scores[label], scores, labels }
    }
}

/// Returns the score of each label for a row of logits. In regression, it is the logit.
fn scores(logits: &[f32], problem_type: ProblemType) -> Vec<f32> {
    match problem_type {
        ProblemType::SingleLabelClassification => {
            probabilities(logits).into_iter().map(|score| score as f32).collect()
        }
        ProblemType::MultiLabelClassification => sigmoids(logits),
        ProblemType::Regression => logits.to_vec(),
    }
}
