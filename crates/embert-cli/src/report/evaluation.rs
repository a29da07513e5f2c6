//! Tables of an evaluation: metrics, metrics by class, confusion matrix.

use embert_train::{Evaluation, Metrics, SingleLabelMetrics};

use super::multi_label::multi_label;
use super::regression::regression;
use super::{MAX_CLASSES, add, grouped, number, plain};
use crate::visible::visible;

/// The confusion matrix: a row for each gold label, a column for each predicted label.
fn confusion(metrics: &SingleLabelMetrics, names: &[String]) -> String {
    if names.len() > MAX_CLASSES {
        return format!("the confusion matrix of {} labels is too wide to show", grouped(names.len()));
    }
    let mut table = plain(&[]);
    table.set_header(
        std::iter::once("gold \\ predicted".to_owned()).chain(names.iter().map(|name| visible(name))),
    );
    for (name, counts) in names.iter().zip(&metrics.confusion_matrix) {
        let counts = counts.iter().map(|&count| grouped(count as usize));
        add(&mut table, std::iter::once(visible(name)).chain(counts).collect());
    }
    table.to_string()
}

/// Formats an evaluation: a line of metrics, and tables by class, label or target.
pub(crate) fn evaluation(evaluation: &Evaluation, names: &[String], pos_label: Option<usize>) -> String {
    match &evaluation.metrics {
        Metrics::SingleLabel(metrics) => {
            let speed = evaluation.eval_samples_per_second;
            let line = metrics_line(metrics, speed, names, pos_label);
            [line, classes(metrics, names), confusion(metrics, names)].join("\n")
        }
        Metrics::MultiLabel(metrics) => multi_label(evaluation, metrics, names),
        Metrics::Regression(metrics) => regression(evaluation, metrics, names),
    }
}

/// Precision, recall, F1 and support by class, and their weighted mean.
fn classes(metrics: &SingleLabelMetrics, names: &[String]) -> String {
    if names.len() > MAX_CLASSES {
        return format!("the metrics of {} classes are too many to show", grouped(names.len()));
    }
    let mut table = plain(&["class", "precision", "recall", "F1", "support"]);
    let row = |name: String, values: [f64; 3], support: u64| {
        let values = values.map(|value| format!("{value:.4}"));
        [name].into_iter().chain(values).chain([grouped(support as usize)]).collect()
    };
    let classes = metrics.class_scores();
    for (name, class) in names.iter().zip(&classes) {
        add(&mut table, row(visible(name), [class.precision, class.recall, class.f1], class.support));
    }
    let weighted = [metrics.precision_weighted, metrics.recall_weighted, metrics.f1_weighted];
    let total = classes.iter().map(|class| class.support).sum();
    add(&mut table, row("weighted mean".into(), weighted, total));
    table.to_string()
}

/// A line of metrics. It names the class of F1.
fn metrics_line(
    metrics: &SingleLabelMetrics,
    texts_per_second: f64,
    names: &[String],
    pos_label: Option<usize>,
) -> String {
    let roc_auc = number(metrics.roc_auc);
    let class = pos_label.or((names.len() == 2).then_some(1));
    let of = class.map_or("macro mean".into(), |class| visible(&names[class]));
    format!(
        "accuracy {:.4}, F1 ({of}) {:.4}, precision {:.4}, recall {:.4}, Matthews {:.4}, AUROC {roc_auc}, loss {:.4}; {:.1} texts/s",
        metrics.accuracy,
        metrics.f1,
        metrics.precision,
        metrics.recall,
        metrics.matthews_correlation,
        metrics.loss,
        texts_per_second,
    )
}
