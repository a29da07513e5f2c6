//! Conversion of PiSSA and OLoRA to plain LoRA of the unchanged base model, and back.
//!
//! W − s·A₀·B₀ + s·A·B = W + s·\[A A₀\]·\[B; −B₀\]. Twice the rank and twice lora_alpha, or √2 times with rsLoRA, keep s.

use std::f64::consts::SQRT_2;

use burn::tensor::{Tensor, TensorData};

use crate::ModelError;
use crate::classification::AutoModelForSequenceClassification;
use crate::lora::config::LoraConfig;
use crate::lora::init_lora_weights::InitLoraWeights;
use crate::lora::initial_values::{adapter, subtract, values};
use crate::lora::low_rank::Lora;
use crate::lora::matching::AdapterScale;
use crate::lora::matrices::LoraMatrices;
use crate::lora::trained_parameters::TrainedParameters;
use crate::parameters::set_trainable;

/// Returns the model with the adapters to save. Its base weights stay changed.
pub(super) fn to_plain_lora(
    mut model: AutoModelForSequenceClassification,
) -> AutoModelForSequenceClassification {
    let Some(config) = model.lora.take() else { return model };
    let changes_base = config.init_lora_weights.changes_base();
    for (_, linear) in model.linear_layers() {
        if let Some(lora) = &mut linear.lora
            && let Some(initial) = lora.initial.take()
        {
            append(lora, &initial);
        }
    }
    model.lora = Some(if changes_base { config.of_plain_lora() } else { config });
    model
}

/// Replaces A and B by [A A₀] and [B; −B₀].
fn append(lora: &mut Lora, initial: &LoraMatrices) {
    let [input, r] = lora.lora_a.dims();
    lora.lora_a = lora.lora_a.clone().map(|a| {
        let initial = Tensor::from_data(TensorData::new(initial.a.clone(), [input, r]), &a.device());
        Tensor::cat(vec![a.detach(), initial], 1) // [in, 2r]
    });
    lora.lora_b = lora.lora_b.clone().map(|b| {
        let [_, output] = b.dims();
        let negative = initial.b.iter().map(|value| -value).collect::<Vec<_>>();
        let negative = Tensor::from_data(TensorData::new(negative, [r, output]), &b.device());
        Tensor::cat(vec![b.detach(), negative], 0) // [2r, out]
    });
}

/// Reverts [`to_plain_lora`] for the adapters of a run with `config`, and subtracts s·A₀·B₀ from W.
///
/// Does nothing if `config` does not change the base weights.
pub(super) fn from_plain_lora(
    mut model: AutoModelForSequenceClassification,
    config: &LoraConfig,
) -> Result<AutoModelForSequenceClassification, ModelError> {
    if !config.init_lora_weights.changes_base() {
        return Ok(model);
    }
    let saved = model.lora.take().expect("the model has adapters");
    for (name, linear) in model.linear_layers() {
        let Some(plain) = linear.lora.take() else { continue };
        let scale = config.adapter_scale(&name)?;
        let [trained, initial] = halves(&plain, scale)?;
        let mut lora = adapter(linear, &trained, scale, plain.dropout);
        lora.lora_magnitude_vector = plain.lora_magnitude_vector;
        subtract(linear, &mut lora, initial);
        linear.lora = Some(lora);
    }
    let LoraConfig { r, lora_alpha, rank_pattern, alpha_pattern, init_lora_weights, .. } = config.clone();
    model.lora = Some(LoraConfig { r, lora_alpha, rank_pattern, alpha_pattern, init_lora_weights, ..saved });
    let trained = TrainedParameters::of(&model).expect("it has adapters");
    Ok(set_trainable(model, &|name| trained.contains(name)))
}

/// Returns A and B, and A₀ and B₀.
fn halves(plain: &Lora, AdapterScale { r, .. }: AdapterScale) -> Result<[LoraMatrices; 2], ModelError> {
    let rank = plain.lora_a.dims()[1];
    if rank != 2 * r {
        let reason = format!("a rank is {rank}; the run has the rank {r}, so {} is expected", 2 * r);
        return Err(ModelError::Lora { key: "r", reason });
    }
    let (a, b) = (plain.lora_a.val().detach(), plain.lora_b.val().detach());
    let [trained, initial] = [0, r].map(|first| LoraMatrices {
        a: values(a.clone().narrow(1, first, r)),
        b: values(b.clone().narrow(0, first, r)),
    });
    let b = initial.b.into_iter().map(|value| -value).collect();
    Ok([trained, LoraMatrices { b, ..initial }])
}

impl LoraConfig {
    /// Returns the settings of the converted adapter.
    fn of_plain_lora(&self) -> Self {
        let factor = if self.use_rslora { SQRT_2 } else { 2.0 };
        let ranks = self.rank_pattern.iter().map(|(module, r)| (module.clone(), 2 * r));
        let alphas = self.alpha_pattern.iter().map(|(module, alpha)| (module.clone(), factor * alpha));
        Self {
            r: 2 * self.r,
            lora_alpha: factor * self.lora_alpha,
            rank_pattern: ranks.collect(),
            alpha_pattern: alphas.collect(),
            init_lora_weights: InitLoraWeights::Uniform,
            ..self.clone()
        }
    }
}
