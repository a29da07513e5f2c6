//! The weight of each label in the loss.

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// The weight of an example in the loss, by its label. Default: [`None`](Self::None).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    rename_all = "snake_case",
    expecting = "expected \"none\", \"balanced\" or a list with one number for each label"
)]
pub enum ClassWeights {
    /// 1 for all labels.
    #[default]
    None,
    /// n / (num_labels · n_label), where n counts examples, as in scikit-learn's `compute_class_weight`.
    Balanced,
    /// One weight for each label, by label id.
    #[serde(untagged)]
    List(Vec<f64>),
}

impl ClassWeights {
    /// Returns one weight for each label, computed from the labels of the training examples.
    pub(crate) fn of_labels(&self, labels: &[usize], num_labels: usize) -> Result<Vec<f64>, TrainError> {
        match self {
            Self::None => Ok(vec![1.0; num_labels]),
            Self::Balanced => balanced(labels, num_labels),
            Self::List(weights) if weights.len() == num_labels => Ok(weights.clone()),
            Self::List(weights) => Err(TrainError::ClassWeights { found: weights.len(), num_labels }),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_weights_are_a_rule_or_a_list() {
        let read = |text: &str| serde_json::from_str::<ClassWeights>(text);
        assert_eq!(read("\"none\"").unwrap(), ClassWeights::None);
        assert_eq!(read("\"balanced\"").unwrap(), ClassWeights::Balanced);
        assert_eq!(read("[1, 2.5]").unwrap(), ClassWeights::List(vec![1.0, 2.5]));
        let error = read("\"balance\"").unwrap_err().to_string();
        assert_eq!(error, "expected \"none\", \"balanced\" or a list with one number for each label");
        assert_eq!(serde_json::to_string(&ClassWeights::Balanced).unwrap(), "\"balanced\"");
    }
}
