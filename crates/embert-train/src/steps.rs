//! A number of optimizer steps, given as a count or as a share of the run: ⌈share · total⌉.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// A number of optimizer steps, as in transformers: a whole number, or below 1 a share of the run.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "f64")]
pub enum Steps {
    /// A number of steps.
    Count(usize),
    /// A share of the steps of the run, above 0 and below 1. It is rounded up to a step.
    Share(f64),
}

/// The largest count: below it, every whole number is an `f64`.
const MOST_STEPS: f64 = (1u64 << 53) as f64;

impl Steps {
    /// Returns the number of steps in a run of `total_steps` steps.
    pub fn of(self, total_steps: usize) -> usize {
        match self {
            Self::Count(steps) => steps,
            Self::Share(share) => (total_steps as f64 * share).ceil() as usize,
        }
    }

    /// Returns true for a count of 1 or more, and for a share between 0 and 1.
    pub(crate) fn is_positive(self) -> bool {
        match self {
            Self::Count(steps) => steps > 0,
            Self::Share(share) => share > 0.0 && share < 1.0,
        }
    }
}

impl From<usize> for Steps {
    fn from(steps: usize) -> Self {
        Self::Count(steps)
    }
}

impl TryFrom<f64> for Steps {
    type Error = String;

    fn try_from(steps: f64) -> Result<Self, String> {
        match steps {
            share if share > 0.0 && share < 1.0 => Ok(Self::Share(share)),
            steps if (0.0..MOST_STEPS).contains(&steps) && steps.fract() == 0.0 => {
                Ok(Self::Count(steps as usize))
            }
            _ => Err(format!("{steps} must be a whole number of steps, or a share of the run below 1")),
        }
    }
}

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Count(steps) => serializer.serialize_u64(steps as u64),
            Self::Share(share) => serializer.serialize_f64(share),
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(steps) => steps.fmt(f),
            Self::Share(share) => share.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_below_one_is_a_share_of_the_run() {
        let cases = [
            ("0", Steps::Count(0), "0"),
            ("0.0", Steps::Count(0), "0"),
            ("1", Steps::Count(1), "1"),
            ("1.0", Steps::Count(1), "1"),
            ("500", Steps::Count(500), "500"),
            ("0.1", Steps::Share(0.1), "0.1"),
        ];
        for (text, expected, written) in cases {
            let steps: Steps = serde_json::from_str(text).unwrap();
            assert_eq!(steps, expected, "{text}");
            assert_eq!(serde_json::to_string(&steps).unwrap(), written);
            assert_eq!(steps.to_string(), written);
        }
    }

    #[test]
    fn other_numbers_are_errors() {
        for text in ["-1", "-0.5", "1.5", "1e300", "18446744073709551615"] {
            let error = serde_json::from_str::<Steps>(text).unwrap_err().to_string();
            assert!(
                error.contains("must be a whole number of steps, or a share of the run below 1"),
                "{error}"
            );
        }
        assert!(Steps::try_from(f64::NAN).is_err());
        assert!(serde_json::from_str::<Steps>("\"many\"").is_err());
    }
}
