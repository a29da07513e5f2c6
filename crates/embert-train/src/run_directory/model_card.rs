//! The model card, `README.md`.

use std::fmt::Write;

use embert_model::ProblemType;

use super::model_card_metrics::{cells, names, tables};
use super::model_card_use::usage;
use super::run_summary::RunSummary;
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

impl ModelCard {
    /// Renders the card as Markdown, with the Hub's front matter.
    pub(crate) fn render(&self, run: &RunSummary<'_>) -> String {
        let (problem_type, labels) = (run.config.problem_type(), run.config.label_names());
        let mut card = self.front_matter(if run.is_adapter { "peft" } else { "transformers" }, problem_type);
        let _ = writeln!(card, "\n# {}\n", self.model_name);
        let how = if run.is_adapter { "a LoRA adapter, trained" } else { "fine-tuned" };
        let kind = match problem_type {
            ProblemType::SingleLabelClassification => "text classifier",
            ProblemType::MultiLabelClassification => "multi-label text classifier",
            ProblemType::Regression => "text regression model",
        };
        let _ = writeln!(card, "A {kind} ({}), {how} with embert.\n", cells(&labels).join(", "));
        let _ = writeln!(card, "- Base model: {}\n- Data: {}", self.base_model, self.dataset);
        let _ = writeln!(card, "{}", training(run.report));
        if let Some(evaluation) = run.evaluation {
            let _ = write!(card, "\n## Evaluation ({})\n\n", self.eval_split);
            let _ = write!(card, "{}", tables(&evaluation.metrics, self.pos_label, &labels));
        }
        let usage = usage(&self.base_model, run, self.max_seq_length);
        let recipe = run.recipe.trim_end();
        let fence = fence(recipe);
        let _ = write!(card, "\n## Use\n\n{usage}\n## Recipe\n\n{fence}toml\n{recipe}\n{fence}\n");
        card
    }

    fn front_matter(&self, library: &str, problem_type: ProblemType) -> String {
        let mut lines = format!("---\nlibrary_name: {library}\npipeline_tag: text-classification\n");
        if let Some(id) = &self.base_model_id {
            let _ = writeln!(lines, "base_model: {id}");
        }
        if let Some(id) = &self.dataset_id {
            let _ = writeln!(lines, "datasets:\n- {id}");
        }
        format!("{lines}metrics:\n- {}\n---\n", names(problem_type).join("\n- "))
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
