//! Random initialization: N(0, σ²), truncated in some families, by the Box-Muller transform of a counter-based random
//! number generator.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use embert_kernels::{FNV_OFFSET, fnv1a, mix64};

use crate::architectures::NewWeights;
use crate::encoder_config::EncoderConfig;
use crate::parameters::{Parameter, ParameterMapper, PreTrainedModel, map_parameters};

/// Initializes each parameter if `is_new` returns true for its name.
///
/// Matrices are drawn from the distribution of `config`; biases become 0 and LayerNorm weights 1.
pub(crate) fn initialize<M: PreTrainedModel>(
    model: M,
    seed: u64,
    config: &EncoderConfig,
    is_new: &dyn Fn(&str) -> bool,
) -> M {
    map_parameters(model, &mut Initialize { seed, config, is_new })
}

/// Returns the initial values of the parameter with this path.
fn initial_value(path: &str, shape: &[usize], seed: u64, weights: NewWeights) -> Vec<f32> {
    let len: usize = shape.iter().product();
    match (shape.len(), path.ends_with(".weight")) {
        (1, true) => vec![1.0; len],
        (1, false) => vec![0.0; len],
        _ => normal(key(path, seed), len, weights),
    }
}

/// Returns `len` values from U(-bound, bound) for the parameter with this name.
pub(crate) fn uniform_values(name: &str, len: usize, seed: u64, bound: f64) -> Vec<f32> {
    let key = key(name, seed);
    let value = |counter| bound * (2.0 * uniform(mix64(key ^ mix64(counter))) - 1.0);
    (0..len as u64).map(|counter| value(counter) as f32).collect()
}

/// Returns `len` values from N(0, std²) for the parameter with this name.
pub(crate) fn normal_values(name: &str, len: usize, seed: u64, std: f64) -> Vec<f32> {
    normal(key(name, seed), len, NewWeights { standard_deviation: std, cutoff: None })
}

struct Initialize<'a> {
    seed: u64,
    config: &'a EncoderConfig,
    is_new: &'a dyn Fn(&str) -> bool,
}

impl ParameterMapper for Initialize<'_> {
    fn map<const D: usize>(&mut self, parameter: Parameter, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Parameter { name, path, shape, .. } = parameter;
        if (self.is_new)(&name) {
            let weights = self.config.new_weights(&name);
            with_values(param, initial_value(&path, &shape, self.seed, weights))
        } else {
            param
        }
    }
}

/// Replaces the values of a parameter. It stays trainable or frozen.
pub(crate) fn with_values<const D: usize>(param: Param<Tensor<D>>, values: Vec<f32>) -> Param<Tensor<D>> {
    param.map(|tensor| {
        let new = Tensor::from_data(TensorData::new(values, tensor.shape()), &tensor.device());
        new.set_require_grad(tensor.is_require_grad())
    })
}

/// Returns a hash of the path and the seed.
fn key(path: &str, seed: u64) -> u64 {
    path.bytes().fold(FNV_OFFSET ^ mix64(seed), |hash, byte| fnv1a(hash, byte.into()))
}

/// Returns `len` values from N(0, σ²), without those beyond the cutoff.
fn normal(key: u64, len: usize, NewWeights { standard_deviation, cutoff }: NewWeights) -> Vec<f32> {
    let pairs = (0..).flat_map(|pair: u64| {
        let [u, v] = [2 * pair, 2 * pair + 1].map(|counter| uniform(mix64(key ^ mix64(counter))));
        let radius = standard_deviation * (-2.0 * u.ln()).sqrt();
        let angle = std::f64::consts::TAU * v;
        [radius * angle.cos(), radius * angle.sin()]
    });
    let is_within = |value: &f64| cutoff.is_none_or(|cutoff| value.abs() <= cutoff * standard_deviation);
    let mut values = Vec::with_capacity(len); // `collect` cannot know how many values the filter keeps
    values.extend(pairs.filter(is_within).take(len).map(|value| value as f32));
    values
}

/// Maps random bits to a number in (0, 1].
fn uniform(bits: u64) -> f64 {
    ((bits >> 11) + 1) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_requested_mean_and_standard_deviation() {
        // torch.nn.init.trunc_normal_ with a cutoff of 2: 0.8796 standard deviations
        for (cutoff, expected) in [(None, 0.02), (Some(2.0), 0.02 * 0.8796)] {
            let weights = NewWeights { standard_deviation: 0.02, cutoff };
            let values = initial_value("bert.pooler.dense.weight", &[300, 401], 42, weights);
            let n = values.len() as f64;
            let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
            let variance = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
            assert!(mean.abs() < 3e-4, "{mean}"); // 5 standard errors
            assert!((variance.sqrt() - expected).abs() < 2.5e-4, "{}", variance.sqrt());
            assert_eq!(values.iter().all(|value| value.abs() <= 0.04), cutoff.is_some());
        }
    }

    #[test]
    fn values_depend_on_seed_and_name() {
        let weights = NewWeights { standard_deviation: 1.0, cutoff: None };
        let value = |path, seed| initial_value(path, &[2, 2], seed, weights);
        assert_eq!(value("a.weight", 1), value("a.weight", 1));
        assert_ne!(value("a.weight", 1), value("a.weight", 2));
        assert_ne!(value("a.weight", 1), value("b.weight", 1));
    }
}
