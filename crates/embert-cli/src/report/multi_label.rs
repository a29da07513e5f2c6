//! Tables of a multi-label evaluation.

use embert_train::{Evaluation, MultiLabelMetrics};

use super::{MAX_CLASSES, add, grouped, number, plain};
use crate::visible::visible;

/// Formats a line of metrics and a table by label.
pub(super) fn multi_label(evaluation: &Evaluation, metrics: &MultiLabelMetrics, names: &[String]) -> String {
    format!("{}\n{}", line(evaluation, metrics), labels(metrics, names))
}

fn line(evaluation: &Evaluation, metrics: &MultiLabelMetrics) -> String {
    format!(
        "F1 micro {:.4}, macro {:.4}, samples {:.4}, weighted {:.4}, subset accuracy {:.4}, Hamming loss {:.4}, AUROC {}, \
         average precision {:.4}, loss {:.4}; {:.1} texts/s",
        metrics.f1_micro,
        metrics.f1_macro,
        metrics.f1_samples,
        metrics.f1_weighted,
        metrics.subset_accuracy,
        metrics.hamming_loss,
        number(metrics.roc_auc),
        metrics.average_precision,
        metrics.loss,
        evaluation.eval_samples_per_second,
    )
}

fn labels(metrics: &MultiLabelMetrics, names: &[String]) -> String {
    if names.len() > MAX_CLASSES {
        return format!("the metrics of {} labels are too many to show", grouped(names.len()));
    }
    let mut table = plain(&["label", "precision", "recall", "F1", "AUROC", "average precision", "support"]);
    for (name, label) in names.iter().zip(&metrics.label_scores) {
        let scores = label.scores;
        let values = [Some(scores.precision), Some(scores.recall), Some(scores.f1), label.roc_auc];
        let mut row = vec![visible(name)];
        row.extend(values.map(number));
        row.extend([number(Some(label.average_precision)), grouped(scores.support as usize)]);
        add(&mut table, row);
    }
    table.to_string()
}
