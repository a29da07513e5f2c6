//! Which modules a name means: PEFT's rules, in PEFT's order.

use fancy_regex::Regex;

use crate::ModelError;
use crate::lora::config::{LoraConfig, ModuleNames};

/// The value of `target_modules` that means every linear layer but the head.
const ALL_LINEAR: &str = "all-linear";

/// The rank and the scaling of one adapter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Strength {
    pub(super) r: usize,
    pub(super) scaling: f64,
}

impl LoraConfig {
    /// Whether the linear layer of this name is adapted: it is meant, not excluded, in a layer that is meant, and not
    /// in a module that is saved whole.
    pub(super) fn adapts(&self, name: &str) -> Result<bool, ModelError> {
        let are_met = |key, names: &Option<ModuleNames>| {
            names.as_ref().map_or(Ok(false), |names| names.means(key, name))
        };
        Ok(!are_met("exclude_modules", &self.exclude_modules)?
            && !self.saves_module(name)
            && are_met("target_modules", &self.target_modules)?
            && self.transforms_layer_of(name)?)
    }

    /// Whether the module of this name is one that is saved whole, or in one: PEFT asks whether the name ends so.
    pub(super) fn saves_module(&self, name: &str) -> bool {
        let ends = self.modules_to_save();
        let parts = name.match_indices('.').map(|(dot, _)| &name[..dot]).chain([name]);
        parts.into_iter().any(|module| ends.iter().any(|end| module.ends_with(end.as_str())))
    }

    /// The rank and the scaling of the adapter of the linear layer of this name.
    pub(super) fn strength(&self, name: &str) -> Result<Strength, ModelError> {
        let ranks = self.rank_pattern.iter().map(|(key, r)| (key.as_str(), *r));
        let r = first_match("rank_pattern", ranks, name)?.unwrap_or(self.r);
        let alphas = self.alpha_pattern.iter().map(|(key, alpha)| (key.as_str(), *alpha));
        let alpha = first_match("alpha_pattern", alphas, name)?.unwrap_or(self.lora_alpha);
        let divisor = if self.use_rslora { (r as f64).sqrt() } else { r as f64 };
        Ok(Strength { r, scaling: alpha / divisor })
    }

    /// Whether the first number in the name, as in `layer.3.`, is that of a layer that is meant.
    fn transforms_layer_of(&self, name: &str) -> Result<bool, ModelError> {
        let Some(numbers) = self.layers_to_transform.as_ref().filter(|numbers| !numbers.is_empty()) else {
            return Ok(true);
        };
        let patterns = match self.layers_pattern.as_deref() {
            None | Some([]) => vec![r"^.*?\.[^.]*\.(\d+)\.".to_string()],
            Some(patterns) => {
                patterns.iter().map(|pattern| format!(r"^(?:.*?\.)?{pattern}\.(?P<idx>\d+)\.")).collect()
            }
        };
        for pattern in patterns {
            let found =
                compile("layers_pattern", &pattern)?.captures(name).map_err(wrong("layers_pattern"))?;
            if let Some(number) = found.and_then(|found| found.iter().flatten().last()) {
                return Ok(number.as_str().parse().is_ok_and(|number| numbers.contains(&number)));
            }
        }
        Ok(false)
    }
}

impl ModuleNames {
    /// Whether this means the linear layer of this name. `key` is named where a regular expression is none.
    pub(super) fn means(&self, key: &'static str, name: &str) -> Result<bool, ModelError> {
        match self {
            Self::Names(names) => Ok(names.iter().any(|wanted| ends_with_name(name, wanted))),
            Self::Pattern(pattern) if pattern.eq_ignore_ascii_case(ALL_LINEAR) => Ok(true),
            Self::Pattern(pattern) => matches(key, &format!(r"\A(?:{pattern})\z"), name),
        }
    }
}

/// Whether `end` is the whole name, or its end after a dot.
pub(super) fn ends_with_name(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The value of the first key that is the end of the name after a dot, keys being regular expressions.
fn first_match<'a, T>(
    key: &'static str,
    patterns: impl Iterator<Item = (&'a str, T)>,
    name: &str,
) -> Result<Option<T>, ModelError> {
    for (pattern, value) in patterns {
        if is_end(key, pattern, name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Whether a key of a pattern, a regular expression, is the whole name, or its end after a dot.
pub(super) fn is_end(key: &'static str, pattern: &str, name: &str) -> Result<bool, ModelError> {
    matches(key, &format!(r"\A(?:.*\.)?(?:{pattern})\z"), name)
}

fn matches(key: &'static str, pattern: &str, name: &str) -> Result<bool, ModelError> {
    compile(key, pattern)?.is_match(name).map_err(wrong(key))
}

fn compile(key: &'static str, pattern: &str) -> Result<Regex, ModelError> {
    Regex::new(pattern).map_err(wrong(key))
}

fn wrong(key: &'static str) -> impl Fn(fancy_regex::Error) -> ModelError {
    move |error| ModelError::Lora { key, reason: error.to_string() }
}
