//! The weight of each label in the loss.

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// The weight of an example in the loss, by its label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "WrittenWeights", into = "WrittenWeights")]
pub enum ClassWeights {
    /// All the same; written `"none"`.
    #[default]
    None,
    /// Number of examples / (number of labels · examples of the label), as scikit-learn's; written `"balanced"`.
    Balanced,
    /// One weight for each label, in the order of the labels.
    List(Vec<f64>),
}

/// The two forms of [`ClassWeights`] in a recipe.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected \"none\", \"balanced\" or a list with one number for each label")]
enum WrittenWeights {
    Rule(WeightRule),
    List(Vec<f64>),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum WeightRule {
    None,
    Balanced,
}

impl From<WrittenWeights> for ClassWeights {
    fn from(written: WrittenWeights) -> Self {
        match written {
            WrittenWeights::Rule(WeightRule::None) => Self::None,
            WrittenWeights::Rule(WeightRule::Balanced) => Self::Balanced,
            WrittenWeights::List(weights) => Self::List(weights),
        }
    }
}

impl From<ClassWeights> for WrittenWeights {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::None => Self::Rule(WeightRule::None),
            ClassWeights::Balanced => Self::Rule(WeightRule::Balanced),
            ClassWeights::List(weights) => Self::List(weights),
        }
    }
}

impl ClassWeights {
    /// Returns one weight for each label, for training examples with these labels.
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
