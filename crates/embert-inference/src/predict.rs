//! Prediction: logits of encoded texts or text pairs.

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
/// [`InferenceError::NoSecondTokenType`] if `texts` are pairs and the model has only one token type;
/// [`InferenceError::NotFinite`] if logits are NaN or infinite; [`InferenceError::Interrupted`] if `on_progress`
/// returns `Break`; and errors of `on_progress`, with the error type of the caller.
pub fn predict<E: From<InferenceError>>(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
    batching: Batching,
    on_progress: &mut dyn FnMut(Progress) -> Result<ControlFlow<()>, E>,
) -> Result<Vec<Vec<f32>>, E> {
    check_token_types(model, texts)?;
    let forward = |ids, layout: &_, context| model.forward(ids, layout, context); // [batch, num_labels]
    forward_all("logits", &forward, texts, batching, &device_of(model), on_progress)
}

/// Checks that a model has the token types of texts or text pairs.
///
/// # Errors
/// [`InferenceError::NoSecondTokenType`] if `texts` are pairs and the model has only one token type.
pub fn check_token_types(
    model: &AutoModelForSequenceClassification,
    texts: &EncodedTexts,
) -> Result<(), InferenceError> {
    if texts.are_pairs() && !model.embeddings().supports_pairs() {
        return Err(InferenceError::NoSecondTokenType);
    }
    Ok(())
}
