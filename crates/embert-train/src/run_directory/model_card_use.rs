//! The section of the model card with Python code to use the model.

use embert_model::{AutoConfig, ProblemType};
use embert_text::Truncation;

use super::model_card_metrics::cells;
use super::run_summary::RunSummary;

/// Returns the section as Markdown.
pub(crate) fn usage(base_model: &str, run: &RunSummary<'_>, max_length: usize) -> String {
    let (labels, problem_type) = (run.config.label_names(), run.config.problem_type());
    let load = if run.is_adapter { load_adapter(base_model, &labels, problem_type) } else { LOAD.to_owned() };
    // All scores, where the highest one does not say everything.
    let returns_all = problem_type != ProblemType::SingleLabelClassification && labels.len() > 1;
    let top_k = if returns_all { "top_k=None, " } else { "" };
    let call =
        format!("print(classify(\"This movie is good\", {top_k}truncation=True, max_length={max_length}))");
    let mut usage = format!("```python\n{load}{call}\n```\n");
    if run.is_adapter {
        usage += &format!("\n{}\n", adapter_note(labels.len(), problem_type));
    }
    usage += &scores_note(run.config);
    if let Truncation::HeadTail { head, tail } = run.truncation {
        usage += &format!("\n{}\n", head_tail_note(head, tail));
    }
    usage
}

const LOAD: &str = "from transformers import pipeline

classify = pipeline(\"text-classification\", model=\".\")  # this directory
";

fn load_adapter(base_model: &str, labels: &[String], problem_type: ProblemType) -> String {
    let (base_model, labels) = (python(base_model), labels.iter().map(|label| python(label)));
    let labels = labels.collect::<Vec<_>>().join(", ");
    let problem_type = match problem_type {
        ProblemType::SingleLabelClassification => String::new(),
        other => format!("    problem_type=\"{other}\",\n"),
    };
    format!(
        "from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

labels = [{labels}]
model = AutoModelForSequenceClassification.from_pretrained(
    {base_model},
    id2label=dict(enumerate(labels)),
    label2id={{label: number for number, label in enumerate(labels)}},
{problem_type}    ignore_mismatched_sizes=True,
)
model = PeftModel.from_pretrained(model, \".\").merge_and_unload()  # this directory
classify = pipeline(\"text-classification\", model=model, tokenizer=AutoTokenizer.from_pretrained(\".\"))
"
    )
}

fn adapter_note(num_labels: usize, problem_type: ProblemType) -> String {
    let mut argument = if num_labels == 2 { String::new() } else { format!(", num_labels={num_labels}") };
    if problem_type != ProblemType::SingleLabelClassification {
        argument += &format!(", problem_type=\"{problem_type}\"");
    }
    format!(
        "`AutoModelForSequenceClassification.from_pretrained(\".\"{argument})` opens the adapter, too, without the norms of DoRA. PEFT does not save \
         label names, so its predictions have those of the base model."
    )
}

/// Explains the scores of multi-label classification and regression, after an empty line.
fn scores_note(config: &AutoConfig) -> String {
    let rule = match (config.problem_type(), config.thresholds()) {
        (ProblemType::SingleLabelClassification, _) => return String::new(),
        (ProblemType::Regression, _) => "A score is the predicted value of its target.".to_owned(),
        (ProblemType::MultiLabelClassification, None) => {
            "A score is the probability of its label. A text has each label with a score of at least 0.5."
                .to_owned()
        }
        (ProblemType::MultiLabelClassification, Some(thresholds)) => {
            let labels = cells(&config.label_names());
            let thresholds =
                labels.iter().zip(thresholds).map(|(label, threshold)| format!("{label} {threshold}"));
            format!(
                "A score is the probability of its label. A text has each label whose score is at least its threshold \
                 (`thresholds` in the config): {}.",
                thresholds.collect::<Vec<_>>().join(", ")
            )
        }
    };
    format!("\n{rule}\n")
}

fn head_tail_note(head: usize, tail: usize) -> String {
    format!(
        "In training, long texts kept their first {head} and last {tail} tokens. transformers cannot truncate like this: \
         the snippet keeps only the first tokens, so predictions for long texts differ. `embert predict --model DIRECTORY` \
         truncates as in training."
    )
}

/// Returns a Python string literal. JSON's escapes are a subset of Python's.
fn python(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_strings_are_escaped() {
        let cases = [
            ("pos", r#""pos""#),
            ("it's \"so\"", r#""it's \"so\"""#),
            (r"C:\new\base", r#""C:\\new\\base""#),
            ("a\nb\t\u{0}", r#""a\nb\t\u0000""#),
            ("```", r#""```""#),
            ("schön", r#""schön""#),
        ];
        for (text, expected) in cases {
            assert_eq!(python(text), expected);
        }
    }
}
