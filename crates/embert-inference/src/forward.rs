//! Batched forward passes. Outputs have the order of the texts.

use std::ops::ControlFlow;

use burn::tensor::{Device, Int, Tensor};
use embert_kernels::{SequenceLayout, with_constant_weights};
use embert_model::ForwardContext;
use embert_text::{EncodedTexts, in_row_order};

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::inputs::{input_ids, sequence_layout};
use crate::progress::Progress;

/// Forward pass without dropout: ids `[num_tokens]` to outputs `[batch, width]`.
pub(crate) type Forward<'a> = dyn Fn(Tensor<1, Int>, &SequenceLayout, ForwardContext) -> Tensor<2> + 'a;

/// Returns the output of each text, `[texts][width]`. Errors name the kind of `output`.
pub(crate) fn forward_all<E: From<InferenceError>>(
    output: &'static str,
    forward: &Forward<'_>,
    texts: &EncodedTexts,
    batching: Batching,
    device: &Device,
    on_progress: &mut dyn FnMut(Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Vec<f32>>, E> {
    let context = ForwardContext { precision: batching.precision, dropout: None };
    let mut outputs = Vec::with_capacity(texts.len());
    let mut collect = |(rows, values): (Vec<usize>, Tensor<2>)| -> Result<(), E> {
        let begin = outputs.len();
        outputs.extend(read(rows, values));
        check_finite(output, &outputs[begin..])?;
        match on_progress(Progress { done: outputs.len(), total: texts.len() })? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(InferenceError::Interrupted.into()),
        }
    };
    with_constant_weights(|| {
        let mut running = None; // a GPU gets the next batch before the previous output is read
        for rows in batching.batches(texts) {
            let batch = texts.batch(&rows, batching.padding);
            let values = forward(input_ids(&batch, device), &sequence_layout(&batch), context); // [batch, width]
            running.replace((rows, values)).map_or(Ok(()), &mut collect)?;
        }
        running.map_or(Ok(()), collect)
    })?;
    Ok(in_row_order(outputs))
}

/// Returns each row number with its output, `[width]`. Reading back synchronizes the device.
fn read(rows: Vec<usize>, output: Tensor<2>) -> impl Iterator<Item = (usize, Vec<f32>)> {
    let [_, width] = output.dims();
    let values = output.into_data().iter::<f32>().collect::<Vec<_>>();
    let to_row = move |(index, row)| (row, values[index * width..][..width].to_vec());
    rows.into_iter().enumerate().map(to_row)
}

fn check_finite(output: &'static str, rows: &[(usize, Vec<f32>)]) -> Result<(), InferenceError> {
    let is_finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    match rows.iter().find(|(_, values)| !is_finite(values)) {
        Some(&(row, _)) => Err(InferenceError::NotFinite { output, row }),
        None => Ok(()),
    }
}
