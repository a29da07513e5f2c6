//! The model card, `README.md`.

use std::fmt::Write;

use embert_text::Truncation;

use super::model_card_use::usage;
use crate::class_scores::ClassScores;
use crate::evaluate::Evaluation;
use crate::event::TrainReport;

/// The facts of a model card that only the caller knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelCard {
    /// The name of the model.
    pub model_name: String,
    /// The base model, in words or as a path.
    pub base_model: String,
    /// The base model's id on the Hub.
    pub base_model_id: Option<String>,
    /// The training and evaluation data, in words or as a path.
    pub dataset: String,
    /// The data set's id on the Hub.
    pub dataset_id: Option<String>,
    /// The evaluation split, for the heading of the table.
    pub eval_split: String,
    /// Maximum number of tokens per text in training.
    pub max_seq_length: usize,
    /// The label of F1, precision and recall in the evaluation.
    pub pos_label: Option<usize>,
}

/// The run that a card describes.
#[derive(Debug)]
pub(crate) struct RunSummary<'a> {
    pub(crate) report: &'a TrainReport,
    pub(crate) evaluation: Option<&'a Evaluation>,
    pub(crate) labels: &'a [String],
    pub(crate) recipe: &'a str,
    pub(crate) truncation: Truncation,
    pub(crate) is_adapter: bool,
}

impl ModelCard {
    /// Renders the card as Markdown, with the Hub's front matter.
    pub(crate) fn render(&self, run: &RunSummary<'_>) -> String {
        let mut card = self.front_matter(if run.is_adapter { "peft" } else { "transformers" });
        let _ = writeln!(card, "\n# {}\n", self.model_name);
        let how = if run.is_adapter { "a LoRA adapter, trained" } else { "fine-tuned" };
        let _ = writeln!(card, "A text classifier ({}), {how} with embert.\n", cells(run.labels).join(", "));
        let _ = writeln!(card, "- Base model: {}\n- Data: {}", self.base_model, self.dataset);
        let _ = writeln!(card, "{}", training(run.report));
        if let Some(evaluation) = run.evaluation {
            let _ = write!(card, "\n## Evaluation ({})\n\n", self.eval_split);
            let _ = writeln!(card, "{}", metrics_table(evaluation, self.pos_label, run.labels));
            let _ = writeln!(card, "{}", class_table(evaluation, run.labels));
            let _ = write!(card, "{}", confusion_table(&evaluation.metrics.confusion_matrix, run.labels));
        }
        let usage = usage(&self.base_model, run.labels, run.is_adapter, self.max_seq_length, run.truncation);
        let recipe = run.recipe.trim_end();
        let fence = fence(recipe);
        let _ = write!(card, "\n## Use\n\n{usage}\n## Recipe\n\n{fence}toml\n{recipe}\n{fence}\n");
        card
    }

    fn front_matter(&self, library: &str) -> String {
        let mut lines = format!("---\nlibrary_name: {library}\npipeline_tag: text-classification\n");
        if let Some(id) = &self.base_model_id {
            let _ = writeln!(lines, "base_model: {id}");
        }
        if let Some(id) = &self.dataset_id {
            let _ = writeln!(lines, "datasets:\n- {id}");
        }
        lines + "metrics:\n- accuracy\n- f1\n- precision\n- recall\n- matthews_correlation\n- roc_auc\n---\n"
    }
}

fn training(report: &TrainReport) -> String {
    format!(
        "- Training: {} examples, {} steps, {:.2} epochs, mean loss {:.4}, {:.0} s",
        report.plan.num_examples, report.global_step, report.epoch, report.train_loss, report.train_runtime
    )
}

/// Returns a code fence with more backticks than the text has in a row.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

fn metrics_table(evaluation: &Evaluation, pos_label: Option<usize>, labels: &[String]) -> String {
    let metrics = &evaluation.metrics;
    let pos_label = pos_label.or((labels.len() == 2).then_some(1));
    let of = pos_label.and_then(|label| cells(labels).into_iter().nth(label));
    let of = of.map_or(", macro".to_owned(), |label| format!(" of {label}"));
    let is_macro = pos_label.is_none();
    let rows = [
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
    ];
    let row = |(name, value): (String, Option<f64>)| value.map(|value| format!("| {name} | {value:.4} |\n"));
    "| Metric | Value |\n|---|---|\n".to_owned() + &rows.into_iter().filter_map(row).collect::<String>()
}

fn class_table(evaluation: &Evaluation, labels: &[String]) -> String {
    let mut table = "| label | precision | recall | F1 | examples |\n|---|---|---|---|---|\n".to_owned();
    for (label, scores) in cells(labels).iter().zip(evaluation.metrics.class_scores()) {
        let ClassScores { precision, recall, f1, support } = scores;
        let _ = writeln!(table, "| {label} | {precision:.4} | {recall:.4} | {f1:.4} | {support} |");
    }
    table
}

/// Escapes label names for table cells.
fn cells(labels: &[String]) -> Vec<String> {
    let cell = |label: &String| label.replace('|', "\\|").replace(['\n', '\r'], " ");
    labels.iter().map(cell).collect()
}

fn confusion_table(matrix: &[Vec<u64>], labels: &[String]) -> String {
    let names = cells(labels);
    let mut table =
        format!("| label \\ predicted | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (name, row) in names.iter().zip(matrix) {
        let counts = row.iter().map(u64::to_string).collect::<Vec<_>>();
        let _ = writeln!(table, "| {name} | {} |", counts.join(" | "));
    }
    table
}
