//! Initial values of adapters. PiSSA and OLoRA subtract s·A·B from W, so the output of the layer does not change.

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use nalgebra::DMatrix;

use crate::initialize::{normal_values, uniform_values, with_values};
use crate::linear::Linear;
use crate::lora::config::LoraConfig;
use crate::lora::decomposition::{approximate_pissa, olora, pissa};
use crate::lora::dora::column_norms;
use crate::lora::init_lora_weights::InitLoraWeights;
use crate::lora::low_rank::Lora;
use crate::lora::matching::AdapterScale;
use crate::lora::matrices::{LoraMatrices, matrix};
use crate::lora::names::lora_a_name;

/// Adds a new adapter to the linear layer with this name.
pub(super) fn add_new(linear: &mut Linear, name: &str, scale: AdapterScale, config: &LoraConfig, seed: u64) {
    let [input, output] = linear.weight.lazy_shape().dims();
    let AdapterScale { r, scaling } = scale;
    let a_name = lora_a_name(name);
    let with_zeros = |a| LoraMatrices { a, b: vec![0.0; r * output] };
    let init = config.init_lora_weights;
    let matrices = match init {
        InitLoraWeights::Uniform => {
            with_zeros(uniform_values(&a_name, input * r, seed, 1.0 / (input as f64).sqrt()))
        }
        InitLoraWeights::Gaussian => with_zeros(normal_values(&a_name, input * r, seed, 1.0 / r as f64)),
        InitLoraWeights::Pissa => pissa(&weight_of(linear), r, scaling),
        InitLoraWeights::PissaIterations(iterations) => {
            let random = matrix(&normal_values(&a_name, output * r, seed, 1.0), output, r);
            approximate_pissa(&weight_of(linear), random, iterations, scaling)
        }
        InitLoraWeights::Olora => olora(&weight_of(linear), r),
    };
    let mut lora = adapter(linear, &matrices, scale, config.lora_dropout);
    if init.changes_base() {
        subtract(linear, &mut lora, matrices);
    }
    if config.use_dora {
        lora.lora_magnitude_vector = Some(magnitude_vector(linear, &lora));
    }
    linear.lora = Some(lora);
}

/// Returns a LoRA adapter with these matrices.
pub(super) fn adapter(linear: &Linear, matrices: &LoraMatrices, scale: AdapterScale, dropout: f64) -> Lora {
    let AdapterScale { r, scaling } = scale;
    let ([input, output], device) = (linear.weight.lazy_shape().dims(), linear.weight.lazy_device());
    let param = |values: &[f32], shape: [usize; 2]| {
        Param::from_tensor(Tensor::from_data(TensorData::new(values.to_vec(), shape), &device))
    };
    Lora {
        lora_a: param(&matrices.a, [input, r]),
        lora_b: param(&matrices.b, [r, output]),
        lora_magnitude_vector: None,
        scaling,
        dropout,
        initial: None,
    }
}

/// Subtracts s·A₀·B₀ from W, and keeps A₀ and B₀ for saving.
pub(super) fn subtract(linear: &mut Linear, lora: &mut Lora, initial: LoraMatrices) {
    let rest = initial.subtracted_from(&weight_of(linear), lora.scaling);
    linear.weight = with_values(linear.weight.clone(), rest);
    lora.initial = Some(Arc::new(initial));
}

/// Returns the initial m of DoRA: the norms of the columns, so that the output of the layer does not change.
fn magnitude_vector(linear: &Linear, lora: &Lora) -> Param<Tensor<1>> {
    let norms = column_norms(linear.weight.val(), [lora.lora_a.val(), lora.lora_b.val()], lora.scaling);
    Param::from_tensor(norms.squeeze_dim(0))
}

/// Returns W, `[in, out]`, in f64.
fn weight_of(linear: &Linear) -> DMatrix<f64> {
    let [input, output] = linear.weight.lazy_shape().dims();
    matrix(&values(linear.weight.val()), input, output)
}

/// Returns the values of a parameter.
pub(super) fn values(parameter: Tensor<2>) -> Vec<f32> {
    parameter.into_data().try_to_vec().expect("parameters are f32")
}
