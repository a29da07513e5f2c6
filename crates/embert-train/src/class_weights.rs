//! The weight of each label in the loss.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// Minimum similarity (1 − edits / length) of a suggested label.
const LEAST_SIMILARITY: f64 = 0.6;

/// The weights of labels in the loss: `class_weights` or `pos_weight`. Default: [`None`](Self::None).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    rename_all = "snake_case",
    expecting = "expected \"none\", \"balanced\", a list with one number for each label, or label names with numbers"
)]
pub enum ClassWeights {
    /// 1 for all labels.
    #[default]
    None,
    /// Computed from the training examples. `class_weights`: n / (num_labels · n_label), as in scikit-learn's
    /// `compute_class_weight`. `pos_weight`: negatives / positives of each label, as in PyTorch's documentation.
    Balanced,
    /// One weight for each label, by label id.
    #[serde(untagged)]
    List(Vec<f64>),
    /// Weights by label name; 1 for each label without a weight.
    #[serde(untagged)]
    Names(BTreeMap<String, f64>),
}

impl ClassWeights {
    /// Replaces label names by a list. `names` are the label names by id.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabelName`].
    pub fn resolve(&self, names: &[String]) -> Result<Self, TrainError> {
        self.resolve_as("class_weights", names)
    }

    /// See [`resolve`](Self::resolve). Errors have the key.
    pub(crate) fn resolve_as(&self, key: &'static str, names: &[String]) -> Result<Self, TrainError> {
        let Self::Names(weights) = self else { return Ok(self.clone()) };
        if let Some(name) = weights.keys().find(|name| !names.contains(name)) {
            let suggestion = nearest(name, names).cloned();
            return Err(TrainError::UnknownLabelName {
                key,
                name: name.clone(),
                suggestion,
                labels: names.into(),
            });
        }
        Ok(Self::List(names.iter().map(|name| weights.get(name).copied().unwrap_or(1.0)).collect()))
    }

    /// Formats the value for an error message.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::None => "none".to_owned(),
            Self::Balanced => "balanced".to_owned(),
            Self::List(weights) => format!("{weights:?}"),
            Self::Names(weights) => {
                let pairs = weights.iter().map(|(name, weight)| format!("{name}={weight}"));
                pairs.collect::<Vec<_>>().join(",")
            }
        }
    }

    /// Returns the given numbers; none for `none` and `balanced`.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::None | Self::Balanced => vec![],
            Self::List(weights) => weights.clone(),
            Self::Names(weights) => weights.values().copied().collect(),
        }
    }

    /// Returns one weight for each label in single-label classification.
    pub(crate) fn of_labels(&self, labels: &[usize], num_labels: usize) -> Result<Vec<f64>, TrainError> {
        self.weights("class_weights", num_labels, || balanced(labels, num_labels))
    }

    /// Returns the weight of the positive examples of each label in multi-label classification.
    pub(crate) fn of_positives(
        &self,
        targets: &[Vec<bool>],
        num_labels: usize,
    ) -> Result<Vec<f64>, TrainError> {
        self.weights("pos_weight", num_labels, || negatives_per_positive(targets, num_labels))
    }

    fn weights(
        &self,
        key: &'static str,
        num_labels: usize,
        balanced: impl FnOnce() -> Result<Vec<f64>, usize>,
    ) -> Result<Vec<f64>, TrainError> {
        match self {
            Self::None => Ok(vec![1.0; num_labels]),
            Self::Balanced => balanced().map_err(|label| TrainError::NothingToBalance { key, label }),
            Self::List(weights) if weights.len() == num_labels => Ok(weights.clone()),
            Self::List(weights) => Err(TrainError::ClassWeights { key, found: weights.len(), num_labels }),
            Self::Names(_) => Err(TrainError::UnresolvedNames { key }),
        }
    }
}

/// Returns the label that is most similar to `name`.
fn nearest<'a>(name: &str, labels: &'a [String]) -> Option<&'a String> {
    let similarity = |label: &String| strsim::normalized_damerau_levenshtein(name, label);
    let nearest = labels.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(nearest) >= LEAST_SIMILARITY || nearest.eq_ignore_ascii_case(name)).then_some(nearest)
}

/// Fails with the first label without examples.
fn balanced(labels: &[usize], num_labels: usize) -> Result<Vec<f64>, usize> {
    let mut counts = vec![0; num_labels];
    labels.iter().for_each(|&label| counts[label] += 1);
    check_counts(&counts)?;
    let share = labels.len() as f64 / num_labels as f64;
    Ok(counts.into_iter().map(|count| share / count as f64).collect())
}

/// Fails with the first label without positive examples.
fn negatives_per_positive(targets: &[Vec<bool>], num_labels: usize) -> Result<Vec<f64>, usize> {
    let count = |label: usize| targets.iter().filter(|target| target[label]).count();
    let positives = (0..num_labels).map(count).collect::<Vec<_>>();
    check_counts(&positives)?;
    Ok(positives.into_iter().map(|count| (targets.len() - count) as f64 / count as f64).collect())
}

fn check_counts(counts: &[usize]) -> Result<(), usize> {
    counts.iter().position(|&count| count == 0).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_weights_are_a_rule_a_list_or_names() {
        let read = |text: &str| serde_json::from_str::<ClassWeights>(text);
        let names = |pairs: &[(&str, f64)]| {
            ClassWeights::Names(pairs.iter().map(|(n, w)| (n.to_string(), *w)).collect())
        };
        assert_eq!(read("\"none\"").unwrap(), ClassWeights::None);
        assert_eq!(read("\"balanced\"").unwrap(), ClassWeights::Balanced);
        assert_eq!(read("[1, 2.5]").unwrap(), ClassWeights::List(vec![1.0, 2.5]));
        for pairs in
            [&[("neg", 1.0), ("pos", 3.0)][..], &[("none", 2.0)], &[("balanced", 0.5), ("none", 1.0)]]
        {
            let weights = names(pairs);
            assert_eq!(read(&serde_json::to_string(&weights).unwrap()).unwrap(), weights);
        }
        let error = read("\"balance\"").unwrap_err().to_string();
        assert_eq!(
            error,
            "expected \"none\", \"balanced\", a list with one number for each label, or label names with numbers"
        );
        assert_eq!(serde_json::to_string(&ClassWeights::Balanced).unwrap(), "\"balanced\"");
    }

    #[test]
    fn names_resolve_to_a_list_in_the_order_of_the_labels() {
        let labels = ["negative", "neutral", "positive"].map(str::to_owned);
        let named = |name: &str| ClassWeights::Names([(name.to_owned(), 3.0)].into());
        let list = |weights: &[f64]| ClassWeights::List(weights.to_vec());
        assert_eq!(named("positive").resolve(&labels).unwrap(), list(&[1.0, 1.0, 3.0]));
        assert_eq!(list(&[1.0]).resolve(&labels).unwrap(), list(&[1.0]));
        assert_eq!(ClassWeights::Balanced.resolve(&labels).unwrap(), ClassWeights::Balanced);
        for (name, expected) in [
            (
                "positiv",
                "class_weights names the label \"positiv\", which the model does not have; did you mean \"positive\"?",
            ),
            ("POSITIVE", "did you mean \"positive\"?"),
            ("spam", "its labels are negative, neutral, positive"),
        ] {
            let error = named(name).resolve(&labels).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = named("positive").of_labels(&[0], 3).unwrap_err().to_string();
        assert!(error.starts_with("class_weights has label names; resolve"), "{error}");
    }

    #[test]
    fn balanced_positive_weights_are_negatives_per_positive() {
        let targets = [[true, false], [true, true], [false, true], [true, false]].map(Vec::from);
        let found = ClassWeights::Balanced.of_positives(&targets, 2).unwrap();
        assert_eq!(found, [1.0 / 3.0, 1.0]);
        let error = ClassWeights::Balanced.of_positives(&[vec![true, false]], 2).unwrap_err().to_string();
        assert!(
            error.starts_with("pos_weight is \"balanced\", but no training example has label 1"),
            "{error}"
        );
        let error = ClassWeights::List(vec![1.0]).of_positives(&targets, 2).unwrap_err().to_string();
        assert_eq!(error, "pos_weight lists 1 numbers for 2 labels; give one for each label");
    }
}
