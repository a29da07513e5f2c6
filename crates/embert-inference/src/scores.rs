//! Softmax and argmax of a row of logits: softmax(x)ᵢ = exp(xᵢ) / Σⱼ exp(xⱼ).

/// Returns the logarithm of the softmax of a row of logits.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = logits.iter().map(|&logit| f64::from(logit) - f64::from(highest)).collect::<Vec<_>>();
    let log_sum = shifted.iter().map(|x| x.exp()).sum::<f64>().ln();
    shifted.into_iter().map(|x| x - log_sum).collect()
}

/// Returns the softmax of a row of logits.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    log_softmax(logits).into_iter().map(f64::exp).collect()
}

/// Returns the index of the highest logit; the first one if several are equal.
pub fn predicted_label(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}
