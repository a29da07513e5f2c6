//! The tables of metrics in the model card, for each problem type.

use std::fmt::Write;

use embert_model::ProblemType;

use crate::metrics::{
    ClassScores, LabelScores, Metrics, MultiLabelMetrics, RegressionMetrics, SingleLabelMetrics, TargetScores,
};

/// Returns the names for the front matter, with the names of the Hub's `evaluate` library where it has them.
pub(super) fn names(problem_type: ProblemType) -> &'static [&'static str] {
    match problem_type {
        ProblemType::SingleLabelClassification => {
            &["accuracy", "f1", "precision", "recall", "matthews_correlation", "roc_auc"]
        }
        ProblemType::MultiLabelClassification => {
            &["accuracy", "f1", "precision", "recall", "roc_auc", "average_precision", "hamming_loss"]
        }
        ProblemType::Regression => &["mse", "mae", "r_squared", "pearsonr", "spearmanr"],
    }
}

/// Returns the tables as Markdown. `pos_label` is the label of F1, precision and recall.
pub(super) fn tables(metrics: &Metrics, pos_label: Option<usize>, labels: &[String]) -> String {
    let labels = &cells(labels);
    match metrics {
        Metrics::SingleLabel(metrics) => format!(
            "{}\n{}\n{}",
            table(&single_label(metrics, pos_label, labels)),
            class_table(&metrics.class_scores(), labels),
            confusion_table(&metrics.confusion_matrix, labels)
        ),
        Metrics::MultiLabel(metrics) => {
            format!("{}\n{}", table(&multi_label(metrics)), label_table(&metrics.label_scores, labels))
        }
        Metrics::Regression(metrics) if metrics.target_scores.len() > 1 => {
            format!("{}\n{}", table(&regression(metrics)), target_table(&metrics.target_scores, labels))
        }
        Metrics::Regression(metrics) => table(&regression(metrics)),
    }
}

/// Escapes label names for table cells.
pub(super) fn cells(labels: &[String]) -> Vec<String> {
    let cell = |label: &String| label.replace('|', "\\|").replace(char::is_control, " ");
    labels.iter().map(cell).collect()
}

/// The confusion matrix of more labels is too large for a model card.
const MOST_LABELS_OF_MATRIX: usize = 50;

/// A name and a value, if it is defined.
type Row = (String, Option<f64>);

fn single_label(metrics: &SingleLabelMetrics, pos_label: Option<usize>, labels: &[String]) -> Vec<Row> {
    let pos_label = pos_label.or((labels.len() == 2).then_some(1));
    let of = pos_label.and_then(|label| labels.get(label));
    let of = of.map_or(", macro".to_owned(), |label| format!(" of {label}"));
    let is_macro = pos_label.is_none();
    vec![
        ("loss".to_owned(), Some(metrics.loss)),
        ("accuracy".to_owned(), Some(metrics.accuracy)),
        (format!("F1{of}"), Some(metrics.f1)),
        (format!("precision{of}"), Some(metrics.precision)),
        (format!("recall{of}"), Some(metrics.recall)),
        ("F1, macro".to_owned(), Some(metrics.f1_macro).filter(|_| !is_macro)),
        ("F1, weighted".to_owned(), Some(metrics.f1_weighted)),
        ("precision, weighted".to_owned(), Some(metrics.precision_weighted)),
        ("recall, weighted".to_owned(), Some(metrics.recall_weighted)),
        ("Matthews correlation".to_owned(), Some(metrics.matthews_correlation)),
        ("AUROC".to_owned(), metrics.roc_auc),
    ]
}

fn multi_label(metrics: &MultiLabelMetrics) -> Vec<Row> {
    let rows = [
        ("loss", Some(metrics.loss)),
        ("F1, micro", Some(metrics.f1_micro)),
        ("F1, macro", Some(metrics.f1_macro)),
        ("F1, mean of texts", Some(metrics.f1_samples)),
        ("F1, weighted", Some(metrics.f1_weighted)),
        ("precision, micro", Some(metrics.precision_micro)),
        ("precision, macro", Some(metrics.precision_macro)),
        ("recall, micro", Some(metrics.recall_micro)),
        ("recall, macro", Some(metrics.recall_macro)),
        ("subset accuracy", Some(metrics.subset_accuracy)),
        ("Hamming loss", Some(metrics.hamming_loss)),
        ("AUROC, macro", metrics.roc_auc),
        ("average precision, macro", Some(metrics.average_precision)),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

fn regression(metrics: &RegressionMetrics) -> Vec<Row> {
    let rows = [
        ("mean squared error", Some(metrics.mse)),
        ("mean absolute error", Some(metrics.mae)),
        ("root mean squared error", Some(metrics.rmse)),
        ("R²", metrics.r2),
        ("Pearson correlation", metrics.pearson),
        ("Spearman correlation", metrics.spearman),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).into()
}

fn table(rows: &[Row]) -> String {
    let row = |(name, value): &Row| value.map(|value| format!("| {name} | {value:.4} |\n"));
    "| Metric | Value |\n|---|---|\n".to_owned() + &rows.iter().filter_map(row).collect::<String>()
}

fn class_table(classes: &[ClassScores], labels: &[String]) -> String {
    let mut table = "| label | precision | recall | F1 | examples |\n|---|---|---|---|---|\n".to_owned();
    for (label, scores) in labels.iter().zip(classes) {
        let ClassScores { precision, recall, f1, support } = scores;
        let _ = writeln!(table, "| {label} | {precision:.4} | {recall:.4} | {f1:.4} | {support} |");
    }
    table
}

fn label_table(scores: &[LabelScores], labels: &[String]) -> String {
    let mut table = "| label | precision | recall | F1 | AUROC | average precision | examples |\n\
                     |---|---|---|---|---|---|---|\n"
        .to_owned();
    for (label, LabelScores { scores, roc_auc, average_precision }) in labels.iter().zip(scores) {
        let ClassScores { precision, recall, f1, support } = scores;
        let roc_auc = optional(*roc_auc);
        let _ = writeln!(
            table,
            "| {label} | {precision:.4} | {recall:.4} | {f1:.4} | {roc_auc} | {average_precision:.4} | {support} |"
        );
    }
    table
}

fn target_table(scores: &[TargetScores], targets: &[String]) -> String {
    let mut table =
        "| target | MSE | MAE | R² | Pearson | Spearman |\n|---|---|---|---|---|---|\n".to_owned();
    for (target, scores) in targets.iter().zip(scores) {
        let [r2, pearson, spearman] = [scores.r2, scores.pearson, scores.spearman].map(optional);
        let TargetScores { mse, mae, .. } = scores;
        let _ = writeln!(table, "| {target} | {mse:.4} | {mae:.4} | {r2} | {pearson} | {spearman} |");
    }
    table
}

fn optional(value: Option<f64>) -> String {
    value.map_or("undefined".to_owned(), |value| format!("{value:.4}"))
}

fn confusion_table(matrix: &[Vec<u64>], labels: &[String]) -> String {
    if labels.len() > MOST_LABELS_OF_MATRIX {
        return format!("The confusion matrix of {} labels is too large to show.\n", labels.len());
    }
    let mut table =
        format!("| label \\ predicted | {} |\n|---|{}\n", labels.join(" | "), "---|".repeat(labels.len()));
    for (label, row) in labels.iter().zip(matrix) {
        let counts = row.iter().map(u64::to_string).collect::<Vec<_>>();
        let _ = writeln!(table, "| {label} | {} |", counts.join(" | "));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stays_in_its_cell() {
        let labels = ["a|b", "one\ntwo", "red\u{1b}[31m", "tab\there"].map(str::to_owned);
        assert_eq!(cells(&labels), ["a\\|b", "one two", "red [31m", "tab here"]);
    }

    #[test]
    fn the_matrix_of_many_labels_is_left_out() {
        let of = |number: usize| {
            let labels = (0..number).map(|id| format!("LABEL_{id}")).collect::<Vec<_>>();
            confusion_table(&vec![vec![0; number]; number], &labels)
        };
        assert_eq!(of(MOST_LABELS_OF_MATRIX).lines().count(), 2 + MOST_LABELS_OF_MATRIX);
        assert_eq!(of(1500), "The confusion matrix of 1500 labels is too large to show.\n");
    }
}
