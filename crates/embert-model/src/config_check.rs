//! What every config.json must keep to: supported values, sizes, rates and labels, each told under its own key.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::ModelError;

/// The largest size that a tensor may have on every device: indices are of 32 bits.
const LARGEST: usize = i32::MAX as usize;

/// More labels than this are a mistake: a confusion matrix has as many squares.
const MOST_LABELS: usize = 4096;

/// What is to be checked of a config, by key.
pub(crate) struct Checks<'a> {
    /// The value found, and the only one supported.
    pub(crate) supported: &'a [(&'static str, &'a str, &'static str)],
    /// None of them 0, none above [`LARGEST`].
    pub(crate) sizes: &'a [(&'static str, usize)],
    pub(crate) hidden_size: (&'static str, usize),
    pub(crate) num_heads: (&'static str, usize),
    /// Each in 0..1.
    pub(crate) rates: &'a [(&'static str, f64)],
    /// Each above 0.
    pub(crate) positive: &'a [(&'static str, f64)],
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
        if let Some((key, size)) = sizes.iter().chain(self.sizes).find(|(_, size)| *size > LARGEST) {
            return Err(format!("{key} is {size}, more than {LARGEST}"));
        }
        let [(hidden, hidden_size), (heads, num_heads)] = sizes;
        if hidden_size % num_heads != 0 {
            return Err(format!("{hidden} {hidden_size} is not a multiple of {heads} {num_heads}"));
        }
        if let Some((key, rate)) = self.rates.iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            return Err(format!("{key} is {rate}, and must lie in 0..1"));
        }
        if let Some((key, value)) = self.positive.iter().find(|(_, value)| *value <= 0.0) {
            return Err(format!("{key} is {value}, and must be above 0"));
        }
        self.labels()
    }

    fn labels(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        match self.id2label.len() {
            0 => Err("id2label names no labels, and a classifier needs two".into()),
            1 => Err(
                "one label means regression, and only classification with two labels or more is supported"
                    .into(),
            ),
            count => check_label_count(count as u64),
        }?;
        if !self.id2label.keys().copied().eq(0..self.id2label.len()) {
            return Err(format!("id2label must name the ids 0 to {} without a gap", self.id2label.len() - 1));
        }
        match self.id2label.values().find(|name| !names.insert(*name)) {
            Some(name) => Err(format!("id2label names two labels {name:?}")),
            None => Ok(()),
        }
    }
}

/// Refuses more labels than [`MOST_LABELS`].
pub(crate) fn check_label_count(count: u64) -> Result<(), String> {
    match count > MOST_LABELS as u64 {
        true => Err(format!("{count} labels are more than {MOST_LABELS}")),
        false => Ok(()),
    }
}
