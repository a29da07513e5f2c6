//! Prediction: logits of encoded texts.

use std::ops::ControlFlow;

use embert_model::AutoModelForSequenceClassification;
use embert_text::EncodedTexts;

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::forward::forward_all;
use crate::inputs::device_of;
use crate::progress::Progress;

/// Returns the logits of each text, `[texts][num_labels]`, in the order of the texts.
///
/// Texts of similar length share a batch. The longest batch runs first, so that an out-of-memory error occurs
/// early. Dropout is off. Pass a model without autodiff (`model.valid()`), which is faster and keeps no
/// graph.
///
/// # Errors
/// [`InferenceError::NotFinite`] if logits are NaN or infinite; [`InferenceError::Interrupted`] if
/// `on_progress` returns `Break`; and errors of `on_progress`, with the error type of the caller.
pub fn predict<E: From<InferenceError>>(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Vec<f32>>, E> {
    let forward = |ids, layout: &_, context| model.forward(ids, layout, context); // [batch, num_labels]
    forward_all("logits", &forward, texts, batching, &device_of(model), on_progress)
}
