//! Logits of encoded texts, in the order of the texts.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use embert_kernels::with_constant_weights;
use embert_model::{AutoModelForSequenceClassification, Pass};
use embert_text::{EncodedTexts, in_row_order};

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::inputs::{device_of, input_ids, sequence_layout};
use crate::progress::Progress;

/// Returns the logits of every text, `[texts][num_labels]`, in the order of the texts.
///
/// Texts of similar length share a batch. The longest come first, so a lack of memory shows at once. Give the model
/// without autodiff (`model.valid()`): it is faster and keeps no graph. Dropout is off.
///
/// # Errors
/// [`InferenceError::NotFinite`] for the first text whose logits are not finite; [`InferenceError::Interrupted`] when
/// `on_progress` answers `Break`; the errors of `on_progress`, whose type is the caller's.
pub fn predict<E: From<InferenceError>>(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Vec<f32>>, E> {
    with_constant_weights(|| predict_batches(model, texts, batching, on_progress))
}

fn predict_batches<E: From<InferenceError>>(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Vec<f32>>, E> {
    let device = device_of(model);
    let pass = Pass { precision: batching.precision, dropout: None };
    let mut logits = Vec::with_capacity(texts.len());
    let mut take = |(rows, output): (Vec<usize>, Tensor<2>)| -> Result<(), E> {
        let begin = logits.len();
        logits.extend(read(rows, output));
        check_finite(&logits[begin..])?;
        match on_progress(Progress { done: logits.len(), total: texts.len() })? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(InferenceError::Interrupted.into()),
        }
    };
    let mut running = None; // a GPU has the next batch before the previous one is read
    for rows in batching.batches(texts) {
        let batch = texts.batch(&rows, batching.padding);
        let output = model.forward(input_ids(&batch, &device), &sequence_layout(&batch), pass); // [batch, num_labels]
        running.replace((rows, output)).map_or(Ok(()), &mut take)?;
    }
    running.map_or(Ok(()), take)?;
    Ok(in_row_order(logits))
}

/// Returns each row with its logits, `[num_labels]`. Waits for the device.
fn read(rows: Vec<usize>, output: Tensor<2>) -> impl Iterator<Item = (usize, Vec<f32>)> {
    let [_, num_labels] = output.dims();
    let values = output.into_data().iter::<f32>().collect::<Vec<_>>();
    rows.into_iter()
        .enumerate()
        .map(move |(place, row)| (row, values[place * num_labels..][..num_labels].to_vec()))
}

fn check_finite(logits: &[(usize, Vec<f32>)]) -> Result<(), InferenceError> {
    let is_finite = |row: &[f32]| row.iter().all(|logit| logit.is_finite());
    match logits.iter().find(|(_, row)| !is_finite(row)) {
        Some((row, _)) => Err(InferenceError::NotFinite { row: *row }),
        None => Ok(()),
    }
}
