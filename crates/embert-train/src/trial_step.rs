//! A trial step: computes the gradients of some micro-batches and drops them, so that the caller can measure memory.

use burn::module::Module;
use embert_inference::device_of;
use embert_kernels::{DropoutStream, prefers_table_rows};
use embert_model::{ForwardContext, Parameter, parameters};

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::fit::TrainData;
use crate::freezing::Freezing;
use crate::model::Model;
use crate::step::{BackwardOptions, step_gradients};

/// The sizes that decide how much memory a run needs beside its activations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialStep {
    /// Number of values in the gradients of the micro-batches.
    pub gradient_values: usize,
    /// Number of values that get a gradient in an epoch. AdamW needs two moments for each of them. On a CPU, this leaves
    /// out the word embeddings of tokens that no text has.
    pub moment_values: usize,
    /// Number of values in the parameters that train.
    pub trainable_values: usize,
}

/// Runs micro-batches of these rows forward and backward, with all parameters that train in any epoch.
///
/// Does not change `model` or a later run.
///
/// # Errors
/// The errors of [`check`](crate::check) for patterns and class weights.
pub fn trial_step(
    model: &Model,
    data: &TrainData<'_>,
    config: &TrainConfig,
    micro_batches: &[&[usize]],
) -> Result<TrialStep, TrainError> {
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
    let trainable = parameters(&model).into_iter().filter(|parameter| parameter.is_trainable);
    let trainable = trainable.collect::<Vec<_>>();
    let trainable_values = trainable.iter().map(Parameter::num_elements).sum();
    let table = trainable.iter().find(|parameter| parameter.is_word_embeddings());
    let unread_values = table.filter(|_| prefers_table_rows(&device_of(&model))).map_or(0, |table| {
        let unread_rows = table.shape[0].saturating_sub(data.train.texts.num_distinct_ids());
        unread_rows * table.shape[1]
    });
    Ok(TrialStep {
        gradient_values: step.gradients.values().map(|gradient| gradient.dims()[0]).sum(),
        moment_values: trainable_values - unread_values,
        trainable_values,
    })
}
