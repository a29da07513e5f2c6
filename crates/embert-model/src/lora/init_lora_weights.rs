//! The setting `init_lora_weights`: the initial values of A and B, by PEFT's names.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Initial values of A and B. The names are those of PEFT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InitLoraWeights {
    /// `true`: A from U(-1/√in, 1/√in), and B = 0.
    #[default]
    Uniform,
    /// `gaussian`: A from N(0, 1/r²), and B = 0.
    Gaussian,
    /// `pissa`: s·A·B is the part of W with the r largest singular values, and W keeps the rest (Meng et al., 2024).
    Pissa,
    /// `pissa_niter_N`: as `pissa`, approximated with N power iterations from random numbers.
    PissaIterations(usize),
    /// `olora`: A and B are the first r rows of R and columns of Q, with QR = Wᵀ. s·A·B is subtracted from W
    /// (Büyükakyüz, 2024).
    Olora,
}

/// The prefix of [`InitLoraWeights::PissaIterations`].
const ITERATIONS: &str = "pissa_niter_";

impl InitLoraWeights {
    /// Returns true if s·A·B is subtracted from W, so that B need not be 0.
    pub(crate) fn changes_base(self) -> bool {
        !matches!(self, Self::Uniform | Self::Gaussian)
    }

    /// Returns the setting with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "true" => Some(Self::Uniform),
            "gaussian" => Some(Self::Gaussian),
            "pissa" => Some(Self::Pissa),
            "olora" => Some(Self::Olora),
            name => name.strip_prefix(ITERATIONS)?.parse().ok().map(Self::PissaIterations),
        }
    }
}

impl Serialize for InitLoraWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Uniform => serializer.serialize_bool(true),
            Self::Gaussian => serializer.serialize_str("gaussian"),
            Self::Pissa => serializer.serialize_str("pissa"),
            Self::PissaIterations(number) => serializer.serialize_str(&format!("{ITERATIONS}{number}")),
            Self::Olora => serializer.serialize_str("olora"),
        }
    }
}

impl<'de> Deserialize<'de> for InitLoraWeights {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected true or a name")]
        enum BoolOrName {
            Bool(bool),
            Name(String),
        }
        let name = match BoolOrName::deserialize(from)? {
            BoolOrName::Bool(value) => value.to_string(),
            BoolOrName::Name(name) => name,
        };
        let expected = "it must be true, gaussian, pissa, pissa_niter_N with a number N, or olora";
        let error = || serde::de::Error::custom(format!("init_lora_weights is {name}; {expected}"));
        Self::from_name(&name).ok_or_else(error)
    }
}
