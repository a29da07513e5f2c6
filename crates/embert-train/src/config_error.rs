//! The error of an invalid setting.

/// A setting with an invalid value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{key} is {found}; it must be {expected}")]
pub struct ConfigError {
    /// The key in a recipe.
    pub key: &'static str,
    /// The value.
    pub found: String,
    /// The valid values.
    pub expected: &'static str,
}
