//! An entry of `gradual_unfreezing`: `EPOCH:PATTERN`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Parameters to unfreeze at an epoch. Written as `EPOCH:PATTERN`, such as `1:bert.embeddings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Unfreezing {
    /// The epoch, counted from 0.
    pub epoch: u64,
    /// A prefix of the parameter names up to a dot, in which `*` matches any characters.
    pub pattern: String,
}

impl FromStr for Unfreezing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("{text:?} must be EPOCH:PATTERN, such as \"1:bert.embeddings\"");
        let (epoch, pattern) = text.split_once(':').ok_or_else(error)?;
        let epoch = epoch.trim().parse().map_err(|_| error())?;
        Ok(Self { epoch, pattern: pattern.trim().to_owned() })
    }
}

impl fmt::Display for Unfreezing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.pattern)
    }
}

impl TryFrom<String> for Unfreezing {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Unfreezing> for String {
    fn from(unfreezing: Unfreezing) -> Self {
        unfreezing.to_string()
    }
}
