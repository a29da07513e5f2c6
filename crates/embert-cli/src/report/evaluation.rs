//! Tables of an evaluation: metrics, metrics by class, confusion matrix, sample predictions.

use comfy_table::{Table, presets};
use embert_train::{Evaluation, SingleLabelMetrics};

use super::{add, grouped, plain};
use crate::visible::visible;

/// The largest number of classes in a table.
const MAX_CLASSES: usize = 30;

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

/// Formats an evaluation: a line of metrics, a table by class, and the confusion matrix.
pub(crate) fn evaluation(evaluation: &Evaluation, names: &[String], pos_label: Option<usize>) -> String {
    let Some(metrics) = evaluation.metrics.single_label() else { return numbers(evaluation) };
    let speed = evaluation.eval_samples_per_second;
    let parts =
        [metrics_line(metrics, speed, names, pos_label), classes(metrics, names), confusion(metrics, names)];
    parts.join("\n")
}

/// All numbers of an evaluation in one line.
fn numbers(evaluation: &Evaluation) -> String {
    let numbers = evaluation.to_results(&[]);
    let numbers = numbers.iter().filter_map(|(name, value)| Some(format!("{name} {:.4}", value.as_f64()?)));
    numbers.collect::<Vec<_>>().join(", ")
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
    let roc_auc = metrics.roc_auc.map_or("undefined".into(), |auc| format!("{auc:.4}"));
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

/// A row of the table of sample predictions.
pub(crate) struct Sample<'a> {
    pub(crate) text: &'a str,
    pub(crate) gold: &'a str,
    pub(crate) predicted: &'a str,
    pub(crate) score: f64,
}

/// A table of predictions with the beginning of each text.
pub(crate) fn samples(samples: &[Sample<'_>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(["text", "gold", "predicted", "score"]);
    for sample in samples {
        let predicted = if sample.gold == sample.predicted {
            sample.predicted.into()
        } else {
            format!("{} ✗", sample.predicted)
        };
        table.add_row([preview(sample.text), sample.gold.into(), predicted, format!("{:.3}", sample.score)]);
    }
    table.to_string()
}

/// The first 50 characters, on one line, control characters escaped.
fn preview(text: &str) -> String {
    const SHOWN: usize = 50;
    let line = visible(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(SHOWN) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_one_line_of_fifty_characters() {
        assert_eq!(preview("one\n two"), "one two");
        assert_eq!(preview("\u{1b}[31mred"), "\\u{1b}[31mred");
        let long = "ä".repeat(60);
        assert_eq!(preview(&long).chars().count(), 51);
    }
}
