//! A trial of an optimizer step: computes the gradients of some micro-batches and drops them, so that the caller can
//! measure what a run takes.

use burn::module::Module;
use embert_kernels::DropoutStream;
use embert_model::ForwardContext;

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::fit::TrainData;
use crate::freezing::Freezing;
use crate::model::Model;
use crate::step::{Backward, step_gradients};

/// Runs the micro-batches of these rows forward and backward, with all parameters that the run ever trains.
///
/// Changes nothing: `model` keeps its weights, and dropout draws from no state. Returns the number of values in the
/// gradients; AdamW keeps two moments of each.
///
/// # Errors
/// Those of [`check`](crate::check) for patterns and class weights.
pub fn trial_step(
    model: &Model,
    data: &TrainData<'_>,
    config: &TrainConfig,
    micro_batches: &[&[usize]],
) -> Result<usize, TrainError> {
    let model = model.clone().train();
    let model = Freezing::new(&config.freeze, &config.gradual_unfreezing, &model)?.apply(model, u64::MAX);
    let objective = config.objective(data.train.targets, model.num_labels())?;
    let window = micro_batches.iter().map(|rows| data.train.batch(rows, data.padding)).collect::<Vec<_>>();
    let dropout = DropoutStream { seed: config.seed, step: 0, first_sequence: 0 };
    let pass = ForwardContext { precision: config.precision(), dropout: Some(dropout) };
    let backward = Backward { gradient_checkpointing: config.gradient_checkpointing, ..Backward::default() };
    let step = step_gradients(&model, &window, &objective, pass, backward);
    Ok(step.gradients.values().map(|gradient| gradient.dims()[0]).sum())
}
