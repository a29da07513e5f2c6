//! The model card: what a stranger on the Hub should know about the weights.

use std::fmt::Write;

use crate::evaluate::Evaluation;
use crate::event::TrainReport;

/// What only the caller knows about a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelCard {
    /// The name of the model.
    pub model_name: String,
    /// The checkpoint that training began with, in words or as a path.
    pub base_model: String,
    /// The same as an id of the Hub, if it has one.
    pub base_model_id: Option<String>,
    /// The training and evaluation data, in words or as a path.
    pub dataset: String,
    /// The same as an id of the Hub, if it has one.
    pub dataset_id: Option<String>,
    /// The evaluation split, for the heading of the table.
    pub eval_split: String,
}

impl ModelCard {
    /// The card in Markdown with the Hub's front matter.
    pub(crate) fn render(
        &self,
        report: &TrainReport,
        evaluation: Option<&Evaluation>,
        labels: &[String],
        recipe: &str,
        is_adapter: bool,
    ) -> String {
        let mut card = self.front_matter(if is_adapter { "peft" } else { "transformers" });
        let _ = writeln!(card, "\n# {}\n", self.model_name);
        let how = if is_adapter { "a LoRA adapter, trained" } else { "fine-tuned" };
        let _ = writeln!(card, "A text classifier ({}), {how} with embert.\n", labels.join(", "));
        let _ = writeln!(card, "- Base model: {}", self.base_model);
        let _ = writeln!(card, "- Data: {}", self.dataset);
        let _ = writeln!(
            card,
            "- Training: {} examples, {} steps, {:.2} epochs, mean loss {:.4}, {:.0} s",
            report.plan.num_examples,
            report.global_step,
            report.epoch,
            report.train_loss,
            report.train_runtime
        );
        if let Some(evaluation) = evaluation {
            let _ = write!(card, "\n## Evaluation ({})\n\n{}", self.eval_split, metrics_table(evaluation));
            let _ = write!(card, "\n{}", confusion_table(&evaluation.metrics.confusion_matrix, labels));
        }
        let _ = write!(
            card,
            "\n## Use\n\n{}\n## Recipe\n\n```toml\n{}\n```\n",
            self.usage(is_adapter),
            recipe.trim_end()
        );
        card
    }

    fn usage(&self, is_adapter: bool) -> String {
        match is_adapter {
            true => ADAPTER_USE.replace("BASE", &format!("{:?}", self.base_model)),
            false => USE.to_owned(),
        }
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

const ADAPTER_USE: &str = "```python
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

config = AutoConfig.from_pretrained(\".\")  # this directory
model = AutoModelForSequenceClassification.from_pretrained(BASE, config=config)
model = PeftModel.from_pretrained(model, \".\").merge_and_unload()
classify = pipeline(\"text-classification\", model=model, tokenizer=AutoTokenizer.from_pretrained(\".\"))
print(classify(\"This movie is good\"))
```
";

const USE: &str = "```python
from transformers import pipeline

classify = pipeline(\"text-classification\", model=\".\")  # this directory
print(classify(\"This movie is good\"))
```
";

fn metrics_table(evaluation: &Evaluation) -> String {
    let metrics = &evaluation.metrics;
    let rows = [
        ("loss", Some(metrics.loss)),
        ("accuracy", Some(metrics.accuracy)),
        ("F1", Some(metrics.f1)),
        ("precision", Some(metrics.precision)),
        ("recall", Some(metrics.recall)),
        ("F1, macro", Some(metrics.f1_macro)),
        ("Matthews correlation", Some(metrics.matthews_correlation)),
        ("AUROC", metrics.roc_auc),
    ];
    let row = |(name, value): (&str, Option<f64>)| value.map(|value| format!("| {name} | {value:.4} |\n"));
    "| Metric | Value |\n|---|---|\n".to_owned() + &rows.into_iter().filter_map(row).collect::<String>()
}

fn confusion_table(matrix: &[Vec<u64>], labels: &[String]) -> String {
    let names = labels.iter().map(|label| label.replace('|', "\\|")).collect::<Vec<_>>();
    let mut table =
        format!("| label \\ predicted | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (name, row) in names.iter().zip(matrix) {
        let counts = row.iter().map(u64::to_string).collect::<Vec<_>>();
        let _ = writeln!(table, "| {name} | {} |", counts.join(" | "));
    }
    table
}
