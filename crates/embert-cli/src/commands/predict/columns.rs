//! The columns that `predict` appends to the rows of its input.

use std::num::NonZeroUsize;

use clap::ArgMatches;
use embert_data::{Column, Table};
use embert_inference::{Classifier, Prediction};
use embert_model::ProblemType;

/// The label with the highest score.
pub(super) const LABEL: &str = "label";
/// The score of `label`.
pub(super) const SCORE: &str = "score";
/// The scores of all labels, by id.
pub(super) const SCORES: &str = "scores";
/// The labels of a multi-label model.
pub(super) const LABELS: &str = "labels";
/// The value of a regression.
pub(super) const PREDICTION: &str = "prediction";
/// The values of a regression with several targets.
pub(super) const PREDICTIONS: &str = "predictions";
/// The labels with the highest scores.
pub(super) const TOP_LABELS: &str = "top_labels";
/// The scores of `top_labels`.
pub(super) const TOP_SCORES: &str = "top_scores";
/// The outputs of the model before softmax or sigmoid.
pub(super) const LOGITS: &str = "logits";

/// Which columns are appended.
pub(super) struct ResultColumns {
    top_k: Option<usize>,
    has_logits: bool,
}

impl ResultColumns {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        Self {
            top_k: matches.get_one::<NonZeroUsize>("top_k").map(|count| count.get()),
            has_logits: matches.get_flag("logits"),
        }
    }

    /// Returns the names of the columns that [`append`](Self::append) returns.
    pub(super) fn names(&self, rows: &Table, classifier: &Classifier) -> Vec<String> {
        let mut appended = match classifier.problem_type {
            ProblemType::SingleLabelClassification => vec![LABEL, SCORE],
            ProblemType::MultiLabelClassification => vec![LABELS],
            ProblemType::Regression if classifier.labels.len() > 1 => vec![PREDICTIONS],
            ProblemType::Regression => vec![PREDICTION],
        };
        if classifier.problem_type != ProblemType::Regression {
            let scores = [SCORES].as_slice();
            appended.extend(self.top_k.map_or(scores, |_| &[TOP_LABELS, TOP_SCORES]));
        }
        appended.extend(self.has_logits.then_some(LOGITS));
        let rows = rows.clone().with_reserved_names(&appended);
        rows.column_names().chain(appended).map(str::to_owned).collect()
    }

    /// Appends the columns. Renames columns of the input with these names.
    pub(super) fn append(&self, rows: Table, logits: Vec<Vec<f32>>, classifier: &Classifier) -> Table {
        let predictions = logits.iter().map(|row| classifier.prediction(row)).collect::<Vec<_>>();
        let mut columns = match classifier.problem_type {
            ProblemType::SingleLabelClassification => best_label(&predictions),
            ProblemType::MultiLabelClassification => vec![(LABELS, labels(&predictions))],
            ProblemType::Regression => vec![values(&predictions)],
        };
        if classifier.problem_type != ProblemType::Regression {
            columns.extend(match self.top_k {
                Some(count) => top(&predictions, &classifier.labels, count),
                None => vec![(SCORES, scores(&predictions))],
            });
        }
        if self.has_logits {
            columns.push((LOGITS, Column::Numbers(logits)));
        }
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let rows = rows.with_reserved_names(&names);
        columns.into_iter().fold(rows, |rows, (name, column)| rows.with_column(name, column))
    }
}

type NamedColumns = Vec<(&'static str, Column)>;

fn best_label(predictions: &[Prediction]) -> NamedColumns {
    let labels = predictions.iter().map(|prediction| prediction.label.clone()).collect();
    let scores = predictions.iter().map(|prediction| prediction.score).collect();
    vec![(LABEL, Column::Text(labels)), (SCORE, Column::Number(scores))]
}

fn labels(predictions: &[Prediction]) -> Column {
    Column::Texts(predictions.iter().map(|prediction| prediction.labels.clone()).collect())
}

fn scores(predictions: &[Prediction]) -> Column {
    Column::Numbers(predictions.iter().map(|prediction| prediction.scores.clone()).collect())
}

/// Returns one number for each row, or a list if there are several targets.
fn values(predictions: &[Prediction]) -> (&'static str, Column) {
    if predictions.iter().any(|prediction| prediction.scores.len() > 1) {
        return (PREDICTIONS, scores(predictions));
    }
    (PREDICTION, Column::Number(predictions.iter().map(|prediction| prediction.score).collect()))
}

/// Returns the labels with the highest scores and their scores, the best first.
fn top(predictions: &[Prediction], names: &[String], count: usize) -> NamedColumns {
    let best = |prediction: &Prediction| {
        let mut order = (0..names.len()).collect::<Vec<_>>();
        order.sort_by(|&a, &b| prediction.scores[b].total_cmp(&prediction.scores[a]).then(a.cmp(&b)));
        order.truncate(count);
        let scores = order.iter().map(|&id| prediction.scores[id]).collect::<Vec<_>>();
        (order.into_iter().map(|id| names[id].clone()).collect::<Vec<_>>(), scores)
    };
    let (labels, scores) = predictions.iter().map(best).unzip();
    vec![(TOP_LABELS, Column::Texts(labels)), (TOP_SCORES, Column::Numbers(scores))]
}
