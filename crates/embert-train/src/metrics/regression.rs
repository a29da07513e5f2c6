//! Regression metrics as in scikit-learn and SciPy: MSE, MAE, RMSE, R², Pearson's and Spearman's correlation.

use serde::{Deserialize, Serialize};

/// The metrics of a regression model: for several targets, the means over the targets.
///
/// R² and the correlations are `None` where scikit-learn or SciPy returns NaN: with fewer than two examples, and a
/// correlation if all values or all predictions are equal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// Mean squared error, the loss of training.
    #[serde(rename = "eval_loss")]
    pub loss: f64,
    /// Mean squared error.
    #[serde(rename = "eval_mse")]
    pub mse: f64,
    /// Mean absolute error.
    #[serde(rename = "eval_mae")]
    pub mae: f64,
    /// Root of the mean squared error; for several targets, the mean of their roots.
    #[serde(rename = "eval_rmse")]
    pub rmse: f64,
    /// Coefficient of determination, R².
    #[serde(rename = "eval_r2")]
    pub r2: Option<f64>,
    /// Pearson's correlation.
    #[serde(rename = "eval_pearson")]
    pub pearson: Option<f64>,
    /// Spearman's correlation: Pearson's of the ranks; ties have their mean rank.
    #[serde(rename = "eval_spearman")]
    pub spearman: Option<f64>,
    /// The scores of each target.
    #[serde(skip)]
    pub target_scores: Vec<TargetScores>,
}

/// The scores of one target.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetScores {
    /// Mean squared error.
    pub mse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Coefficient of determination, R².
    pub r2: Option<f64>,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's correlation.
    pub spearman: Option<f64>,
}

impl RegressionMetrics {
    /// Computes the metrics of predictions and values, both `[rows][num_targets]`.
    ///
    /// # Panics
    /// If the numbers of rows or targets differ.
    pub fn from_values(predictions: &[Vec<f32>], values: &[Vec<f32>]) -> Self {
        assert_eq!(predictions.len(), values.len(), "one row of values for each row of predictions");
        let num_targets = predictions.first().map_or(0, Vec::len);
        let column = |rows: &[Vec<f32>], target: usize| {
            rows.iter().map(|row| f64::from(row[target])).collect::<Vec<_>>()
        };
        let of_target = |target| TargetScores::new(&column(predictions, target), &column(values, target));
        Self::of_targets((0..num_targets).map(of_target).collect())
    }

    fn of_targets(targets: Vec<TargetScores>) -> Self {
        let count = targets.len().max(1) as f64;
        let mean = |of: fn(&TargetScores) -> f64| targets.iter().map(of).sum::<f64>() / count;
        let defined = |of: fn(&TargetScores) -> Option<f64>| {
            let sum = targets.iter().map(of).sum::<Option<f64>>();
            sum.filter(|_| !targets.is_empty()).map(|sum| sum / count)
        };
        let mse = mean(|scores| scores.mse);
        Self {
            loss: mse,
            mse,
            mae: mean(|scores| scores.mae),
            rmse: mean(|scores| scores.rmse),
            r2: defined(|scores| scores.r2),
            pearson: defined(|scores| scores.pearson),
            spearman: defined(|scores| scores.spearman),
            target_scores: targets,
        }
    }
}

impl TargetScores {
    fn new(predictions: &[f64], values: &[f64]) -> Self {
        let errors = predictions.iter().zip(values).map(|(prediction, value)| prediction - value);
        let errors = errors.collect::<Vec<_>>();
        let mse = mean(errors.iter().map(|error| error * error));
        Self {
            mse,
            mae: mean(errors.iter().map(|error| error.abs())),
            rmse: mse.sqrt(),
            r2: r2(mse, values),
            pearson: pearson(predictions, values),
            spearman: pearson(&ranks(predictions), &ranks(values)),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// Returns 1 − MSE / variance. If all values are equal, it is 1 without errors and otherwise 0, as in scikit-learn.
fn r2(mse: f64, values: &[f64]) -> Option<f64> {
    let center = mean(values.iter().copied());
    let variance = mean(values.iter().map(|value| (value - center).powi(2)));
    (values.len() >= 2).then_some(match (mse == 0.0, variance == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 1.0 - mse / variance,
    })
}

/// Returns Σ (a − ā)(b − b̄) / (‖a − ā‖·‖b − b̄‖), limited to [−1, 1].
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let is_constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if a.len() < 2 || is_constant(a) || is_constant(b) {
        return None;
    }
    let (a, b) = (unit_deviations(a), unit_deviations(b));
    let cosine = a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>();
    Some(cosine.clamp(-1.0, 1.0)).filter(|cosine| !cosine.is_nan())
}

/// Returns (x − x̄) / ‖x − x̄‖.
fn unit_deviations(values: &[f64]) -> Vec<f64> {
    let center = mean(values.iter().copied());
    let deviations = values.iter().map(|value| value - center).collect::<Vec<_>>();
    let norm = deviations.iter().map(|deviation| deviation * deviation).sum::<f64>().sqrt();
    deviations.into_iter().map(|deviation| deviation / norm).collect()
}

/// Returns the rank of each value from 1. Equal values have the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order = (0..values.len()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut ranks, mut below) = (vec![0.0; values.len()], 0);
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = below as f64 + (ties.len() + 1) as f64 / 2.0;
        ties.iter().for_each(|&row| ranks[row] = rank);
        below += ties.len();
    }
    ranks
}
