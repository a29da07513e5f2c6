//! Logits of encoded texts, in the order of the texts.

use std::ops::ControlFlow;

use embert_model::AutoModelForSequenceClassification;
use embert_text::EncodedTexts;

use crate::batching::Batching;
use crate::error::InferenceError;
use crate::forward::forward_all;
use crate::inputs::device_of;
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
    let forward = |ids, layout: &_, pass| model.forward(ids, layout, pass); // [batch, num_labels]
    forward_all("logits", &forward, texts, batching, &device_of(model), on_progress)
}
