//! Checks that every config.json must pass: supported values, sizes and rates, each reported under its own key.

use std::path::Path;

use crate::ModelError;

/// The largest size that a tensor may have on every device: indices are of 32 bits.
const LARGEST: usize = i32::MAX as usize;

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
}

impl Checks<'_> {
    pub(crate) fn run(&self, path: &Path) -> Result<(), ModelError> {
        let mut wanted = self.supported.iter();
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
        Ok(())
    }
}
