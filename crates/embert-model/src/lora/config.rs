//! Settings of a LoRA adapter, with the names and defaults of PEFT's LoraConfig.

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

use crate::ModelError;
use crate::lora::init_lora_weights::InitLoraWeights;

/// Settings of a LoRA adapter. Names and defaults are those of PEFT.
///
/// The first paragraph of a field's documentation is also its help on the command line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank r: A has r columns and B has r rows.
    pub r: usize,
    /// Numerator of the scaling lora_alpha / r.
    pub lora_alpha: f64,
    /// Dropout rate of an adapter's input; at least 0 and less than 1.
    pub lora_dropout: f64,
    /// Linear layers to adapt: names or name suffixes (query,key), a regular expression, or all-linear.
    /// Default: PEFT's for the family, such as query and value for bert; some families have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_modules: Option<ModuleNames>,
    /// Linear layers that get no adapter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_modules: Option<ModuleNames>,
    /// Biases to train.
    pub bias: LoraBias,
    /// Scale by lora_alpha / √r (Kalajdzievski, 2023).
    pub use_rslora: bool,
    /// DoRA: also train the norm of each weight column (Liu et al., 2024). A step takes longer, most of all with
    /// lora_dropout.
    pub use_dora: bool,
    /// Initial values of the adapter: true (PEFT's default), gaussian, pissa, pissa_niter_N (faster than pissa, with N
    /// iterations) or olora.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub init_lora_weights: InitLoraWeights,
    /// Modules to train in full and save with the adapter, by name suffix. The head is always included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modules_to_save: Option<Vec<String>>,
    /// Numbers of the layers to adapt (10,11). Default: all.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_or_many")]
    pub layers_to_transform: Option<Vec<usize>>,
    /// Name before the layer number, such as layer. Default: any name.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "one_or_many")]
    pub layers_pattern: Option<Vec<String>>,
    /// Ranks other than r, by name suffix or regular expression; the first match is used:
    /// query=4,1.output.dense=16
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub rank_pattern: IndexMap<String, usize>,
    /// Values other than lora_alpha, by module as in rank_pattern.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub alpha_pattern: IndexMap<String, f64>,
}

/// A selection of modules, with the matching rules of PEFT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a list of names, or a regular expression as one string")]
pub enum ModuleNames {
    /// Full names, or suffixes that begin after a dot.
    Names(Vec<String>),
    /// A regular expression that matches full names, or `all-linear`.
    Pattern(String),
}

/// Biases that are trained in addition to the adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoraBias {
    /// No bias.
    #[default]
    None,
    /// All biases.
    All,
    /// Biases of layers with an adapter.
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
            use_dora: false,
            init_lora_weights: InitLoraWeights::default(),
            modules_to_save: None,
            layers_to_transform: None,
            layers_pattern: None,
            rank_pattern: IndexMap::new(),
            alpha_pattern: IndexMap::new(),
        }
    }
}

/// Modules that PEFT always trains and saves for a sequence classifier.
const HEADS: [&str; 2] = ["classifier", "score"];

impl LoraConfig {
    /// Returns the name suffixes of modules that are trained in full, including the head.
    pub(crate) fn modules_to_save(&self) -> Vec<String> {
        let mut suffixes = self.modules_to_save.clone().unwrap_or_default();
        let heads = HEADS.map(String::from).into_iter().filter(|head| !suffixes.contains(head));
        let heads = heads.collect::<Vec<_>>();
        suffixes.extend(heads);
        suffixes
    }

    /// Checks that all values are valid.
    ///
    /// # Errors
    /// [`ModelError::Lora`] for the first key whose value is out of range or contradicts another key.
    pub fn validate(&self) -> Result<(), ModelError> {
        let error = |key, reason: String| Err(ModelError::Lora { key, reason });
        let ranks = self.rank_pattern.values().chain([&self.r]);
        if ranks.into_iter().any(|&r| r == 0) {
            return error("r", "a rank is 0; it must be at least 1".into());
        }
        let mut alphas = self.alpha_pattern.values().chain([&self.lora_alpha]);
        if let Some(alpha) = alphas.find(|alpha| !(alpha.is_finite() && **alpha > 0.0)) {
            return error("lora_alpha", format!("it is {alpha}; it must be greater than 0"));
        }
        if !(0.0..1.0).contains(&self.lora_dropout) {
            return error(
                "lora_dropout",
                format!("it is {}; it must be at least 0 and less than 1", self.lora_dropout),
            );
        }
        let is_pattern = matches!(self.target_modules, Some(ModuleNames::Pattern(_)));
        if is_pattern && (self.layers_to_transform.is_some() || self.layers_pattern.is_some()) {
            return error("layers_to_transform", "it requires target_modules to be a list of names".into());
        }
        if self.layers_pattern.is_some() && self.layers_to_transform.is_none() {
            return error("layers_pattern", "it requires layers_to_transform".into());
        }
        Ok(())
    }
}

/// Deserializes a value or a list of values.
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
