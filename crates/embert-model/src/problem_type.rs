//! The task of a sequence classifier: one label, several labels, or numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The task of a sequence classifier, with transformers' values of `problem_type` in config.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProblemType {
    /// Each text has exactly one label: softmax and cross-entropy.
    #[default]
    SingleLabelClassification,
    /// Each text has any number of labels: a sigmoid and binary cross-entropy for each label.
    MultiLabelClassification,
    /// Each text has one number for each target: mean squared error.
    Regression,
}

impl ProblemType {
    /// All problem types.
    pub const ALL: [Self; 3] =
        [Self::SingleLabelClassification, Self::MultiLabelClassification, Self::Regression];

    /// Returns the name in config.json.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabelClassification => "single_label_classification",
            Self::MultiLabelClassification => "multi_label_classification",
            Self::Regression => "regression",
        }
    }

    /// Returns the problem type of a config without `problem_type`, as in transformers: one label is regression.
    pub fn of_num_labels(num_labels: usize) -> Self {
        if num_labels == 1 { Self::Regression } else { Self::SingleLabelClassification }
    }

    /// Returns the minimum number of labels.
    pub fn min_labels(self) -> usize {
        if self == Self::SingleLabelClassification { 2 } else { 1 }
    }
}

/// Writes the name in config.json.
impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error of a name that is not a problem type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "problem_type is {found}; it must be single_label_classification, multi_label_classification or regression"
)]
pub struct UnknownProblemType {
    /// The name.
    pub found: String,
}

impl FromStr for ProblemType {
    type Err = UnknownProblemType;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.ok_or_else(|| UnknownProblemType { found: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_transformers_everywhere() {
        for problem_type in ProblemType::ALL {
            let name = problem_type.to_string();
            assert_eq!(name.parse(), Ok(problem_type));
            assert_eq!(serde_json::to_value(problem_type).unwrap(), name.as_str());
        }
        let error = "ranking".parse::<ProblemType>().unwrap_err().to_string();
        assert!(
            error.starts_with("problem_type is ranking; it must be single_label_classification, "),
            "{error}"
        );
    }
}
