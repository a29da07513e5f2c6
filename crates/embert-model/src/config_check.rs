//! What every config.json must keep to: supported values, sizes, rates and labels, each told under its own key.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ModelError;

/// What is to be checked of a config, by key.
pub(crate) struct Checks<'a> {
    /// The value found, and the only one supported.
    pub(crate) supported: &'a [(&'static str, &'a str, &'static str)],
    /// None of them 0.
    pub(crate) sizes: &'a [(&'static str, usize)],
    pub(crate) hidden_size: (&'static str, usize),
    pub(crate) num_heads: (&'static str, usize),
    /// Each in 0..1.
    pub(crate) rates: &'a [(&'static str, f64)],
    pub(crate) problem_type: Option<&'a str>,
    pub(crate) id2label: &'a BTreeMap<usize, String>,
}

impl Checks<'_> {
    pub(crate) fn run(&self, path: &Path) -> Result<(), ModelError> {
        let problem_type = self.problem_type.unwrap_or("single_label_classification");
        let problem_type = ("problem_type", problem_type, "single_label_classification");
        let mut wanted = self.supported.iter().chain([&problem_type]);
        if let Some(&(key, found, supported)) = wanted.find(|(_, found, supported)| found != supported) {
            return Err(ModelError::Unsupported { path: path.into(), key, found: found.into(), supported });
        }
        self.numbers().map_err(|reason| ModelError::Config { path: path.into(), reason })
    }

    fn numbers(&self) -> Result<(), String> {
        let sizes = [self.hidden_size, self.num_heads];
        if let Some((key, _)) = sizes.iter().chain(self.sizes).find(|(_, size)| *size == 0) {
            return Err(format!("{key} is 0"));
        }
        let [(hidden, hidden_size), (heads, num_heads)] = sizes;
        if hidden_size % num_heads != 0 {
            return Err(format!("{hidden} {hidden_size} is not a multiple of {heads} {num_heads}"));
        }
        if let Some((key, rate)) = self.rates.iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            return Err(format!("{key} is {rate}, and must lie in 0..1"));
        }
        if !self.id2label.keys().copied().eq(0..self.id2label.len()) || self.id2label.len() < 2 {
            return Err("id2label must name the ids 0, 1, ... of at least two labels".into());
        }
        Ok(())
    }
}
