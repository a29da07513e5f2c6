//! The kinds of loss functions for classification.

use serde::{Deserialize, Serialize};

/// The loss function of classification. Default: cross-entropy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Cross-entropy; for several labels, binary cross-entropy of each label.
    #[default]
    CrossEntropy,
    /// Focal loss: cross-entropy times (1 − p)^γ, with p the probability of the target.
    Focal,
}
