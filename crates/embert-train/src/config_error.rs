//! A setting of a recipe that is out of its range.

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key} is {found}; it must be {expected}")]
pub struct ConfigError {
    /// The key in a recipe.
    pub key: &'static str,
    /// Its value.
    pub found: String,
    /// What the value may be.
    pub expected: &'static str,
}
