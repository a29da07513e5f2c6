//! Logits for texts, in the order in which they came.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use embert_kernels::with_constant_weights;
use embert_model::{AutoModelForSequenceClassification, Pass};
use embert_text::{EncodedTexts, in_row_order};

use crate::batches::{input_ids, sequence_layout};
use crate::batching::Batching;
use crate::error::TrainError;
use crate::metrics::{argmax, log_softmax};
use crate::parameters::device_of;
use crate::progress::{Answer, Progress};

/// The logits of every text, `[texts][num_labels]`, in the order of the texts.
///
/// Texts of like length share a batch; the longest come first, so that memory is short at once or never. Give the
/// model without autodiff (`model.valid()`): it is faster and keeps no graph. Dropout is off.
///
/// # Errors
/// [`TrainError::NotFinite`] for the first text whose logits are no numbers; [`TrainError::Interrupted`] when `on_progress` answers `Break`, and its own errors.
pub fn predict(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Answer,
) -> Result<Vec<Vec<f32>>, TrainError> {
    with_constant_weights(|| predict_batches(model, texts, batching, on_progress))
}

fn predict_batches(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Answer,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let device = device_of(model);
    let pass = Pass { precision: batching.precision, dropout: None };
    let mut logits = Vec::with_capacity(texts.len());
    let mut take = |(rows, output): (Vec<usize>, Tensor<2>)| {
        let begin = logits.len();
        logits.extend(read(rows, output));
        check_finite(&logits[begin..])?;
        match on_progress(Progress { done: logits.len(), total: texts.len() })? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TrainError::Interrupted),
        }
    };
    let mut running = None; // a GPU has the next batch before the one before is read
    for rows in batching.batches(texts) {
        let batch = texts.batch(&rows, batching.padding);
        let output = model.forward(input_ids(&batch, &device), &sequence_layout(&batch), pass); // [batch, num_labels]
        running.replace((rows, output)).map_or(Ok(()), &mut take)?;
    }
    running.map_or(Ok(()), take)?;
    Ok(in_row_order(logits))
}

/// The logits of each row, `[num_labels]`. Waits for the device.
fn read(rows: Vec<usize>, output: Tensor<2>) -> impl Iterator<Item = (usize, Vec<f32>)> {
    let [_, num_labels] = output.dims();
    let values = output.into_data().iter::<f32>().collect::<Vec<_>>();
    rows.into_iter()
        .enumerate()
        .map(move |(place, row)| (row, values[place * num_labels..][..num_labels].to_vec()))
}

fn check_finite(logits: &[(usize, Vec<f32>)]) -> Result<(), TrainError> {
    let is_finite = |row: &[f32]| row.iter().all(|logit| logit.is_finite());
    match logits.iter().find(|(_, row)| !is_finite(row)) {
        Some((row, _)) => Err(TrainError::NotFinite { row: *row }),
        None => Ok(()),
    }
}

/// The probability of each label for a row of logits.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    log_softmax(logits).into_iter().map(f64::exp).collect()
}

/// The label that a row of logits speaks for, the first of equals.
pub fn predicted_label(logits: &[f32]) -> usize {
    argmax(logits)
}
