//! What an adapter is told: PEFT's LoraConfig, under PEFT's names and with PEFT's defaults.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ModelError;

/// The settings of an adapter. `Default` is the only place that holds defaults; they are PEFT's. The first paragraph of
/// a field's documentation is also its help on the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank: the columns of A and the rows of B.
    pub r: usize,
    /// Numerator of the scaling lora_alpha / r.
    pub lora_alpha: f64,
    /// Dropout rate of an adapter's input, at least 0 and below 1.
    pub lora_dropout: f64,
    /// Linear layers to adapt: names or ends of names (query,key), a regular expression, or all-linear; query and
    /// value by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_modules: Option<ModuleNames>,
    /// Linear layers not to adapt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_modules: Option<ModuleNames>,
    /// Biases to train.
    pub bias: LoraBias,
    /// Scale by lora_alpha / √r (Kalajdzievski, 2023).
    pub use_rslora: bool,
    /// Modules to train in full and save with the adapter, by the end of their names; the head always is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_to_save: Option<Vec<String>>,
    /// Numbers of the layers to adapt (10,11); all by default.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_or_many")]
    pub layers_to_transform: Option<Vec<usize>>,
    /// Word before a layer's number in its name, such as layer; any by default.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_or_many")]
    pub layers_pattern: Option<Vec<String>>,
    /// Ranks other than r, by the end of a module's name or a regular expression; the first match counts:
    /// query=4,1.output.dense=16
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub rank_pattern: IndexMap<String, usize>,
    /// Values other than lora_alpha, by module as in rank_pattern.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub alpha_pattern: IndexMap<String, f64>,
}

/// Which modules are meant, as PEFT matches them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a list of names, or a regular expression as one string")]
pub enum ModuleNames {
    /// Whole names, or ends of names after a dot.
    Names(Vec<String>),
    /// A regular expression that matches whole names, or `all-linear`.
    Pattern(String),
}

/// Which biases are trained beside the adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoraBias {
    /// None.
    #[default]
    None,
    /// All of the model.
    All,
    /// Those of the adapted layers.
    LoraOnly,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self {
            r: 8,
            lora_alpha: 8.0,
            lora_dropout: 0.0,
            target_modules: None,
            exclude_modules: None,
            bias: LoraBias::None,
            use_rslora: false,
            modules_to_save: None,
            layers_to_transform: None,
            layers_pattern: None,
            rank_pattern: IndexMap::new(),
            alpha_pattern: IndexMap::new(),
        }
    }
}

/// What PEFT trains and saves of every classifier.
const HEADS: [&str; 2] = ["classifier", "score"];

impl LoraConfig {
    /// The ends of names of the modules that are saved whole, the head's among them.
    pub(crate) fn modules_to_save(&self) -> Vec<String> {
        let mut ends = self.modules_to_save.clone().unwrap_or_default();
        let heads = HEADS.map(String::from).into_iter().filter(|head| !ends.contains(head));
        let heads = heads.collect::<Vec<_>>();
        ends.extend(heads);
        ends
    }

    /// Says which value cannot be, if one is.
    ///
    /// # Errors
    /// [`ModelError::Lora`] with the first key whose value is out of its range or contradicts another.
    pub fn validate(&self) -> Result<(), ModelError> {
        let wrong = |key, reason: String| Err(ModelError::Lora { key, reason });
        let ranks = self.rank_pattern.values().chain([&self.r]);
        if ranks.into_iter().any(|&r| r == 0) {
            return wrong("r", "a rank is 0; it must be 1 or more".into());
        }
        let mut alphas = self.alpha_pattern.values().chain([&self.lora_alpha]);
        if let Some(alpha) = alphas.find(|alpha| !(alpha.is_finite() && **alpha > 0.0)) {
            return wrong("lora_alpha", format!("it is {alpha}; it must be a number above 0"));
        }
        if !(0.0..1.0).contains(&self.lora_dropout) {
            return wrong("lora_dropout", format!("it is {}; it must lie in 0..1", self.lora_dropout));
        }
        let is_pattern = matches!(self.target_modules, Some(ModuleNames::Pattern(_)));
        if is_pattern && (self.layers_to_transform.is_some() || self.layers_pattern.is_some()) {
            return wrong("layers_to_transform", "it needs target_modules as a list of names".into());
        }
        if self.layers_pattern.is_some() && self.layers_to_transform.is_none() {
            return wrong("layers_pattern", "it needs layers_to_transform".into());
        }
        Ok(())
    }
}

/// A value, or a list of them.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Vec<T>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a value, or a list of values")]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(Option::deserialize(from)?.map(|read| match read {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    }))
}
