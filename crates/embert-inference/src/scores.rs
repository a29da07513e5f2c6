//! Scores of a row of logits: softmax(x)ᵢ = exp(xᵢ) / Σⱼ exp(xⱼ), σ(x) = 1 / (1 + exp(−x)), argmax and thresholds.

/// The decision threshold of a label without its own.
pub const DEFAULT_THRESHOLD: f32 = 0.5;

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

/// Returns log σ(x), accurate for large |x|.
pub fn log_sigmoid(logit: f32) -> f64 {
    let x = f64::from(logit);
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// Returns σ(x) of each logit.
pub fn sigmoids(logits: &[f32]) -> Vec<f32> {
    logits.iter().map(|&logit| log_sigmoid(logit).exp() as f32).collect()
}

/// Returns the index of the highest logit; the first one if several are equal.
pub fn predicted_label(logits: &[f32]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

/// Returns the labels of a multi-label model whose σ(x), rounded to f32, is at least their threshold. `thresholds` are by
/// label id; `None` is 0.5 for all labels.
///
/// # Panics
/// If `thresholds` is shorter than `logits`.
pub fn predicted_labels(logits: &[f32], thresholds: Option<&[f32]>) -> Vec<usize> {
    let threshold = |label: usize| thresholds.map_or(DEFAULT_THRESHOLD, |thresholds| thresholds[label]);
    let scores = sigmoids(logits);
    (0..logits.len()).filter(|&label| scores[label] >= threshold(label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoids_match_pytorch() {
        // torch.sigmoid(torch.tensor([-100, -20, -1.5, 0, 0.25, 20, 100], dtype=torch.float64)).float()
        let expected = [3.8e-44, 2.061_153_6e-9, 0.182_425_52, 0.5, 0.562_176_5, 1.0, 1.0];
        for (found, expected) in
            sigmoids(&[-100.0, -20.0, -1.5, 0.0, 0.25, 20.0, 100.0]).into_iter().zip(expected)
        {
            assert!((found - expected).abs() <= 1e-7 * expected, "{found}, not {expected}");
        }
    }

    #[test]
    fn labels_at_their_threshold_are_predicted() {
        let logits = [0.0, -0.001, 3.0, -3.0];
        assert_eq!(predicted_labels(&logits, None), [0, 2]);
        assert_eq!(predicted_labels(&logits, Some(&[0.5, 0.4, 1.0, 0.0])), [0, 1, 3]);
        assert!(predicted_labels(&[-1.0, -2.0], None).is_empty());
    }
}
