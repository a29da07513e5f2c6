//! Selection of modules by name, with the matching rules of PEFT.

use fancy_regex::Regex;

use crate::ModelError;
use crate::lora::config::{LoraConfig, ModuleNames};

/// The value of `target_modules` that selects all linear layers except the head.
const ALL_LINEAR: &str = "all-linear";

/// Rank and scaling of one adapter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AdapterScale {
    pub(super) r: usize,
    pub(super) scaling: f64,
}

impl LoraConfig {
    /// Returns true if the linear layer with this name gets an adapter.
    ///
    /// It must match `target_modules`, `layers_to_transform` and neither `exclude_modules` nor
    /// `modules_to_save`.
    pub(super) fn adapts(&self, name: &str) -> Result<bool, ModelError> {
        let is_in = |key, names: &Option<ModuleNames>| {
            names.as_ref().map_or(Ok(false), |names| names.contains(key, name))
        };
        Ok(!is_in("exclude_modules", &self.exclude_modules)?
            && !self.is_saved_module(name)
            && is_in("target_modules", &self.target_modules)?
            && self.is_in_transformed_layer(name)?)
    }

    /// Returns true if the module or one of its parents is in `modules_to_save`. Like PEFT, compares name
    /// suffixes.
    pub(super) fn is_saved_module(&self, name: &str) -> bool {
        let suffixes = self.modules_to_save();
        with_parents(name).any(|module| suffixes.iter().any(|suffix| module.ends_with(suffix.as_str())))
    }

    /// Returns true if PEFT adds an adapter to one of these modules for this pattern, or fails to. An expression that
    /// takes too long is no reason to fail.
    pub(super) fn selects_in_peft(&self, pattern: &str, mut modules: impl Iterator<Item = String>) -> bool {
        let Ok(regex) = compile("target_modules", &full_match(pattern)) else { return true };
        let selects =
            |module: String| regex.is_match(&module).unwrap_or(true) && !self.is_excluded_by_peft(&module);
        is_all_linear(pattern) || modules.any(selects)
    }

    /// Returns true if PEFT adds no adapter to a module, whatever `target_modules` is. It compares complete names, so
    /// `classifier` does not exclude `pre_classifier`.
    fn is_excluded_by_peft(&self, name: &str) -> bool {
        let suffixes = self.modules_to_save();
        let is_saved = |module: &str| suffixes.iter().any(|suffix| has_name_suffix(module, suffix));
        let excluded = self.exclude_modules.as_ref();
        with_parents(name).any(is_saved)
            || excluded.is_some_and(|names| names.contains("exclude_modules", name).unwrap_or(false))
    }

    /// Returns the rank and scaling for the adapter of this linear layer.
    pub(super) fn adapter_scale(&self, name: &str) -> Result<AdapterScale, ModelError> {
        let ranks = self.rank_pattern.iter().map(|(key, r)| (key.as_str(), *r));
        let r = first_match("rank_pattern", ranks, name)?.unwrap_or(self.r);
        let alphas = self.alpha_pattern.iter().map(|(key, alpha)| (key.as_str(), *alpha));
        let alpha = first_match("alpha_pattern", alphas, name)?.unwrap_or(self.lora_alpha);
        let divisor = if self.use_rslora { (r as f64).sqrt() } else { r as f64 };
        Ok(AdapterScale { r, scaling: alpha / divisor })
    }

    /// Returns true if `layers_to_transform` contains the layer number in the name, as in `layer.3.`.
    fn is_in_transformed_layer(&self, name: &str) -> Result<bool, ModelError> {
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
                compile("layers_pattern", &pattern)?.captures(name).map_err(lora_error("layers_pattern"))?;
            if let Some(number) = found.and_then(|found| found.iter().flatten().last()) {
                return Ok(number.as_str().parse().is_ok_and(|number| numbers.contains(&number)));
            }
        }
        Ok(false)
    }
}

impl ModuleNames {
    /// Returns true if the selection contains the linear layer with this name. Errors name `key`.
    pub(super) fn contains(&self, key: &'static str, name: &str) -> Result<bool, ModelError> {
        match self {
            Self::Names(names) => Ok(names.iter().any(|suffix| has_name_suffix(name, suffix))),
            Self::Pattern(pattern) if is_all_linear(pattern) => Ok(true),
            Self::Pattern(pattern) => matches(key, &full_match(pattern), name),
        }
    }
}

fn is_all_linear(pattern: &str) -> bool {
    pattern.eq_ignore_ascii_case(ALL_LINEAR)
}

/// Returns a regular expression that matches what `fullmatch` of Python matches.
fn full_match(pattern: &str) -> String {
    format!(r"\A(?:{pattern})\z")
}

/// Returns the names of the modules that contain a module, and its own name.
pub(super) fn with_parents(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').map(|(dot, _)| &name[..dot]).chain([name])
}

/// Returns true if `suffix` is the full name, or follows a dot in the name.
pub(super) fn has_name_suffix(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Returns the value of the first pattern that matches the name.
fn first_match<'a, T>(
    key: &'static str,
    patterns: impl Iterator<Item = (&'a str, T)>,
    name: &str,
) -> Result<Option<T>, ModelError> {
    for (pattern, value) in patterns {
        if matches_pattern(key, pattern, name)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// Returns true if a regular expression matches the full name, or a suffix that follows a dot.
pub(super) fn matches_pattern(key: &'static str, pattern: &str, name: &str) -> Result<bool, ModelError> {
    matches(key, &format!(r"\A(?:.*\.)?(?:{pattern})\z"), name)
}

fn matches(key: &'static str, pattern: &str, name: &str) -> Result<bool, ModelError> {
    compile(key, pattern)?.is_match(name).map_err(lora_error(key))
}

fn compile(key: &'static str, pattern: &str) -> Result<Regex, ModelError> {
    Regex::new(pattern).map_err(lora_error(key))
}

fn lora_error(key: &'static str) -> impl Fn(fancy_regex::Error) -> ModelError {
    move |error| ModelError::Lora { key, reason: error.to_string() }
}
