//! Evaluated rows with their predictions: tables of samples and of mistakes, and a file of all rows.

use embert_data::{Column, Dataset, Example, Table, Target};
use embert_inference::Prediction;

use crate::report::{Sample, samples};

/// Evaluated rows, each with its prediction.
pub(crate) struct ScoredRows<'a> {
    dataset: &'a Dataset,
    predictions: Vec<Prediction>,
}

impl<'a> ScoredRows<'a> {
    /// `predictions` has one prediction for each row.
    pub(crate) fn new(dataset: &'a Dataset, predictions: Vec<Prediction>) -> Self {
        assert_eq!(dataset.len(), predictions.len(), "one prediction for each row");
        Self { dataset, predictions }
    }

    /// Formats a table of all rows.
    pub(crate) fn table(&self) -> String {
        samples(&(0..self.dataset.len()).map(|row| self.sample(row)).collect::<Vec<_>>())
    }

    /// Formats a table of the `count` worst mistakes, the worst first; `None` without mistakes.
    pub(crate) fn mistakes(&self, count: usize) -> Option<String> {
        let mut wrong = (0..self.dataset.len()).filter(|&row| !self.is_right(row)).collect::<Vec<_>>();
        wrong.sort_by(|&a, &b| self.error(b).total_cmp(&self.error(a)));
        wrong.truncate(count);
        let wrong = wrong.into_iter().map(|row| self.sample(row)).collect::<Vec<_>>();
        (!wrong.is_empty()).then(|| samples(&wrong))
    }

    /// Returns a table with the text, the target, the prediction and the scores of each row.
    pub(crate) fn to_table(&self) -> Table {
        let examples = &self.dataset.examples;
        let texts = examples.iter().map(|example| example.text.clone()).collect();
        let mut table = Table::default().with_column("text", Column::Text(texts));
        if let Some(pairs) = examples.iter().map(|example| example.text_pair.clone()).collect() {
            table = table.with_column("text_pair", Column::Text(pairs));
        }
        for (name, column) in self.columns() {
            table = table.with_column(name, column);
        }
        table
    }

    fn columns(&self) -> Vec<(&'static str, Column)> {
        use embert_data::ProblemType::{MultiLabelClassification, Regression, SingleLabelClassification};
        let of = |row: fn(&Prediction) -> Vec<f32>| self.predictions.iter().map(row).collect::<Vec<_>>();
        let scores = ("scores", Column::Numbers(of(|prediction| prediction.scores.clone())));
        let gold = self.dataset.examples.iter().map(|example| self.names(&example.target));
        match self.dataset.problem_type {
            SingleLabelClassification => vec![
                ("label", Column::Text(gold.map(|names| names.concat()).collect())),
                ("prediction", Column::Text(self.predictions.iter().map(|it| it.label.clone()).collect())),
                ("score", Column::Number(self.predictions.iter().map(|it| it.score).collect())),
                scores,
            ],
            MultiLabelClassification => vec![
                ("labels", Column::Texts(gold.collect())),
                ("predictions", Column::Texts(self.predictions.iter().map(|it| it.labels.clone()).collect())),
                scores,
            ],
            Regression => {
                let values = self.dataset.examples.iter().map(|example| example.target.values().to_vec());
                vec![
                    ("label", numbers(values.collect())),
                    ("prediction", numbers(of(|prediction| prediction.scores.clone()))),
                ]
            }
        }
    }

    fn sample(&self, row: usize) -> Sample<'a> {
        let (example, prediction) = (&self.dataset.examples[row], &self.predictions[row]);
        let is_regression = matches!(example.target, Target::Values(_));
        Sample {
            text: &example.text,
            gold: match &example.target {
                Target::Values(values) => joined(values),
                target => listed(&self.names(target)),
            },
            predicted: if is_regression { joined(&prediction.scores) } else { listed(&prediction.labels) },
            score: (!is_regression).then_some(prediction.score),
            is_right: is_regression || self.is_right(row),
        }
    }

    /// Returns the names of the labels of a target.
    fn names(&self, target: &Target) -> Vec<String> {
        target.label_ids().iter().map(|&id| self.dataset.labels.names()[id].clone()).collect()
    }

    /// Returns true if all labels are right. A number is never exactly right.
    fn is_right(&self, row: usize) -> bool {
        let Example { target, .. } = &self.dataset.examples[row];
        !matches!(target, Target::Values(_)) && self.names(target) == self.predictions[row].labels
    }

    /// Returns how wrong a prediction is: the score of the wrong label, the greatest difference of a label's score from 0
    /// or 1, or the greatest difference of a number.
    fn error(&self, row: usize) -> f32 {
        let (target, prediction) = (&self.dataset.examples[row].target, &self.predictions[row]);
        let scores = prediction.scores.iter().enumerate();
        match target {
            Target::Label(_) => prediction.score,
            Target::Labels(ids) => {
                let gold = |id| if ids.contains(&id) { 1.0 } else { 0.0 };
                scores.map(|(id, score)| (score - gold(id)).abs()).fold(0.0, f32::max)
            }
            Target::Values(values) => {
                scores.zip(values).map(|((_, score), value)| (score - value).abs()).fold(0.0, f32::max)
            }
        }
    }
}

/// Returns a column of numbers, or of lists if there are several targets.
fn numbers(values: Vec<Vec<f32>>) -> Column {
    if values.iter().all(|values| values.len() == 1) {
        return Column::Number(values.concat());
    }
    Column::Numbers(values)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "-".into() } else { names.join(", ") }
}

fn joined(values: &[f32]) -> String {
    values.iter().map(|value| format!("{value:.3}")).collect::<Vec<_>>().join(", ")
}
