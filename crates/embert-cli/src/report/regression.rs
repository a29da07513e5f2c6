//! Tables of an evaluation of a regression.

use embert_train::{Evaluation, RegressionMetrics};

use super::{add, number, plain};
use crate::visible::visible;

/// Formats a line of metrics and, for several targets, a table by target.
pub(super) fn regression(evaluation: &Evaluation, metrics: &RegressionMetrics, names: &[String]) -> String {
    let line = format!(
        "Pearson {}, Spearman {}, R2 {}, MAE {:.4}, RMSE {:.4}, MSE {:.4}; {:.1} texts/s",
        number(metrics.pearson),
        number(metrics.spearman),
        number(metrics.r2),
        metrics.mae,
        metrics.rmse,
        metrics.mse,
        evaluation.eval_samples_per_second,
    );
    if names.len() < 2 { line } else { format!("{line}\n{}", targets(metrics, names)) }
}

fn targets(metrics: &RegressionMetrics, names: &[String]) -> String {
    let mut table = plain(&["target", "Pearson", "Spearman", "R2", "MAE", "RMSE", "MSE"]);
    for (name, scores) in names.iter().zip(&metrics.target_scores) {
        let values = [
            scores.pearson,
            scores.spearman,
            scores.r2,
            Some(scores.mae),
            Some(scores.rmse),
            Some(scores.mse),
        ];
        add(&mut table, std::iter::once(visible(name)).chain(values.map(number)).collect());
    }
    table.to_string()
}
