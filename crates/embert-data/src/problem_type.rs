//! The problem type of a dataset: what a model predicts for each row. The names are those of transformers.

use std::fmt;
use std::str::FromStr;

/// What a model predicts for each row, with the names of `problem_type` in `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ProblemType {
    /// One label per row.
    #[default]
    SingleLabelClassification,
    /// Any number of labels per row, also none.
    MultiLabelClassification,
    /// One or more numbers per row.
    Regression,
}

impl ProblemType {
    /// All problem types.
    pub const ALL: [Self; 3] =
        [Self::SingleLabelClassification, Self::MultiLabelClassification, Self::Regression];

    /// Returns the name in transformers, such as `single_label_classification`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabelClassification => "single_label_classification",
            Self::MultiLabelClassification => "multi_label_classification",
            Self::Regression => "regression",
        }
    }
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error is a message that lists the names.
impl FromStr for ProblemType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|problem_type| problem_type.name() == name).ok_or_else(|| {
            format!("unknown problem_type {name:?}; expected {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_transformers() {
        for problem_type in ProblemType::ALL {
            assert_eq!(problem_type.to_string().parse(), Ok(problem_type));
        }
        assert_eq!(
            "multilabel".parse::<ProblemType>(),
            Err("unknown problem_type \"multilabel\"; expected single_label_classification, \
                 multi_label_classification, regression"
                .to_owned())
        );
    }
}
