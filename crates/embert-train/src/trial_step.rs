//! A trial step: computes the gradients of some micro-batches and drops them, so that the caller can measure memory.

use burn::module::Module;
use embert_kernels::DropoutStream;
use embert_model::ForwardContext;

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::fit::TrainData;
use crate::freezing::Freezing;
use crate::model::Model;
use crate::step::{BackwardOptions, step_gradients};

/// Runs micro-batches of these rows forward and backward, with all parameters that train in any epoch.
///
/// Does not change `model` or a later run. Returns the number of values in the gradients. AdamW needs two moments for
/// each of them.
///
/// # Errors
/// The errors of [`check`](crate::check) for patterns and class weights.
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
    let backward = BackwardOptions {
        gradient_checkpointing: config.gradient_checkpointing,
        ..BackwardOptions::default()
    };
    let step = step_gradients(&model, &window, &objective, pass, backward);
    Ok(step.gradients.values().map(|gradient| gradient.dims()[0]).sum())
}
