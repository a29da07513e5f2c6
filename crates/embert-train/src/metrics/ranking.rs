//! Areas under curves over all thresholds: ROC (Mann-Whitney U) and average precision Σ (Rₙ − Rₙ₋₁)·Pₙ.

/// Returns the probability that a positive row scores above a negative row: the Mann-Whitney U statistic. A tie counts
/// as 1/2. `None` without positive or without negative rows.
pub(super) fn area_under_roc(scores: &[f64], is_positive: impl Fn(usize) -> bool) -> Option<f64> {
    let (mut below, mut positives, mut pairs_won) = (0.0, 0.0, 0.0);
    for (positive, negative) in ties_from_lowest(scores, is_positive) {
        pairs_won += positive * (below + negative / 2.0);
        below += negative;
        positives += positive;
    }
    (positives > 0.0 && below > 0.0).then(|| pairs_won / (positives * below))
}

/// Returns scikit-learn's `average_precision_score`: the mean of the precision at each threshold, weighted by the
/// increase in recall. 0 without positive rows.
pub(super) fn average_precision(scores: &[f64], is_positive: impl Fn(usize) -> bool) -> f64 {
    let ties = ties_from_lowest(scores, is_positive);
    let (mut right, mut predicted, mut area) = (0.0, 0.0, 0.0);
    for (positive, negative) in ties.into_iter().rev() {
        right += positive;
        predicted += positive + negative;
        area += positive * (right / predicted);
    }
    super::ratio(area, right)
}

/// Returns the numbers of positive and negative rows of each score, from the lowest score.
fn ties_from_lowest(scores: &[f64], is_positive: impl Fn(usize) -> bool) -> Vec<(f64, f64)> {
    let mut order = (0..scores.len()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let ties = order.chunk_by(|&a, &b| scores[a] == scores[b]);
    let count = |ties: &[usize]| {
        let positive = ties.iter().filter(|&&row| is_positive(row)).count();
        (positive as f64, (ties.len() - positive) as f64)
    };
    ties.map(count).collect()
}
