//! The targets of examples.

use embert_model::ProblemType;

use crate::error::TrainError;

/// One target for each example, all of one kind. The kind selects the problem type, the loss and the metrics.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// Single-label classification: the label id of each example, from 0.
    Labels(Vec<usize>),
    /// Multi-label classification: `[examples][num_labels]`, true for each label that the example has.
    MultiHot(Vec<Vec<bool>>),
    /// Regression: the values of each example, `[examples][num_targets]`.
    Values(Vec<Vec<f32>>),
}

impl Targets {
    /// Returns the targets of multi-label classification from the label ids of each example.
    ///
    /// # Errors
    /// [`TrainError::UnknownLabel`] if an id is `num_labels` or more.
    pub fn from_label_sets<S: AsRef<[usize]>>(sets: &[S], num_labels: usize) -> Result<Self, TrainError> {
        let multi_hot = |(row, set): (usize, &S)| {
            let mut target = vec![false; num_labels];
            for &label in set.as_ref() {
                *target.get_mut(label).ok_or(TrainError::UnknownLabel { row, label, num_labels })? = true;
            }
            Ok(target)
        };
        sets.iter().enumerate().map(multi_hot).collect::<Result<_, _>>().map(Self::MultiHot)
    }

    /// Returns the problem type that has these targets.
    pub fn problem_type(&self) -> ProblemType {
        match self {
            Self::Labels(_) => ProblemType::SingleLabelClassification,
            Self::MultiHot(_) => ProblemType::MultiLabelClassification,
            Self::Values(_) => ProblemType::Regression,
        }
    }

    /// Returns the number of examples.
    pub fn len(&self) -> usize {
        match self {
            Self::Labels(labels) => labels.len(),
            Self::MultiHot(targets) => targets.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Returns true if there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the targets of these rows, in their order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        fn of<T: Clone>(targets: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|&row| targets[row].clone()).collect()
        }
        match self {
            Self::Labels(labels) => Self::Labels(of(labels, rows)),
            Self::MultiHot(targets) => Self::MultiHot(of(targets, rows)),
            Self::Values(values) => Self::Values(of(values, rows)),
        }
    }

    /// Fails if a model with `num_labels` logits does not have a target.
    pub(crate) fn check(&self, num_labels: usize) -> Result<(), TrainError> {
        match self {
            Self::Labels(labels) => match labels.iter().position(|&label| label >= num_labels) {
                Some(row) => Err(TrainError::UnknownLabel { row, label: labels[row], num_labels }),
                None => Ok(()),
            },
            Self::MultiHot(targets) => check_lengths(targets, num_labels),
            Self::Values(values) => {
                check_lengths(values, num_labels)?;
                match values.iter().position(|row| !row.iter().all(|value| value.is_finite())) {
                    Some(row) => Err(TrainError::TargetNotFinite { row }),
                    None => Ok(()),
                }
            }
        }
    }

    /// Returns the bits of one target, for fingerprints.
    pub(crate) fn bits(&self, row: usize) -> Vec<u64> {
        match self {
            Self::Labels(labels) => vec![labels[row] as u64],
            Self::MultiHot(targets) => targets[row].iter().map(|&target| u64::from(target)).collect(),
            Self::Values(values) => values[row].iter().map(|value| value.to_bits().into()).collect(),
        }
    }
}

fn check_lengths<T>(targets: &[Vec<T>], num_labels: usize) -> Result<(), TrainError> {
    match targets.iter().position(|target| target.len() != num_labels) {
        Some(row) => Err(TrainError::TargetLength { row, found: targets[row].len(), num_labels }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_sets_become_multi_hot_targets() {
        let sets = [vec![2, 0], vec![], vec![1, 1]];
        let expected = [[true, false, true], [false; 3], [false, true, false]].map(Vec::from).into();
        assert_eq!(Targets::from_label_sets(&sets, 3).unwrap(), Targets::MultiHot(expected));
        let error = Targets::from_label_sets(&sets, 2).unwrap_err();
        assert!(matches!(error, TrainError::UnknownLabel { row: 0, label: 2, num_labels: 2 }), "{error}");
    }

    #[test]
    fn targets_that_the_model_does_not_have_are_errors() {
        let values = |rows: &[&[f32]]| Targets::Values(rows.iter().map(|row| row.to_vec()).collect());
        for (targets, expected) in [
            (Targets::Labels(vec![0, 2]), "example 1 has label 2, but the model has 2 labels"),
            (
                Targets::MultiHot(vec![vec![true; 2], vec![true]]),
                "example 1 has 1 targets, but the model has 2",
            ),
            (values(&[&[1.0], &[0.0, 1.0]]), "example 0 has 1 targets, but the model has 2"),
            (values(&[&[0.0, 1.0], &[0.0, f32::NAN]]), "example 1 has a target that is NaN or infinite"),
        ] {
            let error = targets.check(2).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(values(&[&[1.0, -2.5]]).check(2).is_ok());
    }

    #[test]
    fn different_targets_have_different_bits() {
        let targets = Targets::MultiHot(vec![vec![true, false], vec![false, true]]);
        assert_ne!(targets.bits(0), targets.bits(1));
        let targets = Targets::Values(vec![vec![0.0, 1.0], vec![-0.0, 1.0]]);
        assert_ne!(targets.bits(0), targets.bits(1));
    }
}
