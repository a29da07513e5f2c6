//! The GLUE tasks: columns, labels, metrics and splits, as in `run_glue.py` of transformers and `nyu-mll/glue` on the hub.

use std::fmt;
use std::str::FromStr;

use crate::columns::Columns;
use crate::label_map::LabelMap;
use crate::problem_type::ProblemType;

/// A task of the GLUE benchmark. Its name is also the config name in the hub's data set [`GlueTask::DATASET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GlueTask {
    /// Linguistic acceptability of a sentence.
    Cola,
    /// Entailment, neutral or contradiction of a premise and a hypothesis.
    Mnli,
    /// Paraphrases among pairs of sentences from news.
    Mrpc,
    /// Whether a sentence answers a question.
    Qnli,
    /// Paraphrases among pairs of questions.
    Qqp,
    /// Entailment of two sentences.
    Rte,
    /// Sentiment of movie reviews.
    Sst2,
    /// Similarity of two sentences, from 0 to 5.
    Stsb,
    /// Entailment of a sentence with a pronoun replaced.
    Wnli,
}

/// The facts about one task.
struct Facts {
    name: &'static str,
    text: &'static str,
    text_pair: Option<&'static str>,
    /// Names by id; empty for regression.
    labels: &'static [&'static str],
    /// Metrics with the names of embert; the first one selects the best model.
    metrics: &'static [&'static str],
    /// The folder of the original tsv files.
    folder: &'static str,
    /// The columns of the original tsv files: text, second text, label.
    tsv: [Option<&'static str>; 3],
}

/// The facts, in the order of [`GlueTask::ALL`].
#[rustfmt::skip]
const FACTS: [Facts; 9] = [
    Facts { name: "cola", text: "sentence", text_pair: None, labels: &["unacceptable", "acceptable"], metrics: &["matthews_correlation"], folder: "CoLA", tsv: [Some("sentence"), None, Some("label")] },
    Facts { name: "mnli", text: "premise", text_pair: Some("hypothesis"), labels: &["entailment", "neutral", "contradiction"], metrics: &["accuracy"], folder: "MNLI", tsv: [Some("sentence1"), Some("sentence2"), Some("gold_label")] },
    Facts { name: "mrpc", text: "sentence1", text_pair: Some("sentence2"), labels: &["not_equivalent", "equivalent"], metrics: &["accuracy", "f1"], folder: "MRPC", tsv: [Some("#1 String"), Some("#2 String"), Some("Quality")] },
    Facts { name: "qnli", text: "question", text_pair: Some("sentence"), labels: &["entailment", "not_entailment"], metrics: &["accuracy"], folder: "QNLI", tsv: [Some("question"), Some("sentence"), Some("label")] },
    Facts { name: "qqp", text: "question1", text_pair: Some("question2"), labels: &["not_duplicate", "duplicate"], metrics: &["accuracy", "f1"], folder: "QQP", tsv: [Some("question1"), Some("question2"), Some("is_duplicate")] },
    Facts { name: "rte", text: "sentence1", text_pair: Some("sentence2"), labels: &["entailment", "not_entailment"], metrics: &["accuracy"], folder: "RTE", tsv: [Some("sentence1"), Some("sentence2"), Some("label")] },
    Facts { name: "sst2", text: "sentence", text_pair: None, labels: &["negative", "positive"], metrics: &["accuracy"], folder: "SST-2", tsv: [Some("sentence"), None, Some("label")] },
    Facts { name: "stsb", text: "sentence1", text_pair: Some("sentence2"), labels: &[], metrics: &["pearson", "spearman"], folder: "STS-B", tsv: [Some("sentence1"), Some("sentence2"), Some("score")] },
    Facts { name: "wnli", text: "sentence1", text_pair: Some("sentence2"), labels: &["not_entailment", "entailment"], metrics: &["accuracy"], folder: "WNLI", tsv: [Some("sentence1"), Some("sentence2"), Some("label")] },
];

impl GlueTask {
    /// All tasks, sorted by name.
    pub const ALL: [Self; 9] = [
        Self::Cola,
        Self::Mnli,
        Self::Mrpc,
        Self::Qnli,
        Self::Qqp,
        Self::Rte,
        Self::Sst2,
        Self::Stsb,
        Self::Wnli,
    ];

    /// The hub's data set with all tasks, each in a folder with its name.
    pub const DATASET: &'static str = "nyu-mll/glue";

    fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }

    /// Returns the name of the task, such as `sst2`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the columns of the hub's files.
    pub fn columns(self) -> Columns {
        let Facts { text, text_pair, .. } = self.facts();
        Columns { text_pair: text_pair.map(str::to_owned), ..Columns::new(*text, "label") }
    }

    /// Returns the name of the folder with the original tsv files, such as `SST-2`.
    pub fn tsv_folder(self) -> &'static str {
        self.facts().folder
    }

    /// Returns the columns of the original tsv files, which have no quotes ([`CsvQuoting::None`]).
    ///
    /// The files of CoLA have no header; [`GlueTask::tsv_header`] has their columns.
    ///
    /// [`CsvQuoting::None`]: crate::CsvQuoting::None
    pub fn tsv_columns(self) -> Columns {
        let [text, text_pair, label] = self.facts().tsv.map(Option::unwrap_or_default);
        let text_pair = Some(text_pair).filter(|name| !name.is_empty()).map(str::to_owned);
        Columns { text_pair, ..Columns::new(text, label) }
    }

    /// Returns the column names of original tsv files without a header: `train.tsv` and `dev.tsv` of CoLA.
    pub fn tsv_header(self) -> Option<&'static [&'static str]> {
        (self == Self::Cola).then_some(&["source", "label", "judgement", "sentence"])
    }

    /// Returns the name of the original tsv file of a split; `None` for an unknown split.
    pub fn tsv_file(self, split: &str) -> Option<&'static str> {
        Some(match split {
            "train" => "train.tsv",
            "validation" => "dev.tsv",
            "validation_matched" => "dev_matched.tsv",
            "validation_mismatched" => "dev_mismatched.tsv",
            "test" => "test.tsv",
            "test_matched" => "test_matched.tsv",
            "test_mismatched" => "test_mismatched.tsv",
            _ => return None,
        })
    }

    /// Returns regression for STS-B, and one label per row for the other tasks.
    pub fn problem_type(self) -> ProblemType {
        match self {
            Self::Stsb => ProblemType::Regression,
            _ => ProblemType::SingleLabelClassification,
        }
    }

    /// Returns the number of outputs of a model: of labels, or one number.
    pub fn num_labels(self) -> usize {
        self.label_names().len().max(1)
    }

    /// Returns the names of the labels by id; empty for regression.
    pub fn label_names(self) -> &'static [&'static str] {
        self.facts().labels
    }

    /// Returns the map from the ids in a file to the names; `None` for regression. Names in a file stay.
    pub fn label_map(self) -> Option<LabelMap> {
        let pairs =
            (0..).zip(self.label_names()).map(|(id, name): (usize, _)| (id.to_string(), (*name).to_owned()));
        LabelMap::new(self.name(), pairs.collect()).ok()
    }

    /// Returns the metrics of the task, with the names of embert. Of STS-B, `pearson` and `spearman`.
    pub fn metrics(self) -> &'static [&'static str] {
        self.facts().metrics
    }

    /// Returns the metric that selects the best model: the first of [`GlueTask::metrics`].
    pub fn best_metric(self) -> &'static str {
        self.metrics()[0]
    }

    /// Returns the splits to evaluate on. MNLI has two: the genres of the training data, and other genres.
    pub fn validation_splits(self) -> &'static [&'static str] {
        match self {
            Self::Mnli => &["validation_matched", "validation_mismatched"],
            _ => &["validation"],
        }
    }

    /// Returns the splits without public labels. On the hub, their labels are -1.
    pub fn test_splits(self) -> &'static [&'static str] {
        match self {
            Self::Mnli => &["test_matched", "test_mismatched"],
            _ => &["test"],
        }
    }
}

impl fmt::Display for GlueTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Letter case, `-` and `_` do not matter: `SST-2` is `sst2`. The error is a message that lists the names.
impl FromStr for GlueTask {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let plain = name.to_ascii_lowercase().replace(['-', '_'], "");
        Self::ALL.into_iter().find(|task| task.name() == plain).ok_or_else(|| {
            format!("unknown GLUE task {name:?}; expected {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_without_case_and_dashes() {
        for task in GlueTask::ALL {
            assert_eq!(task.to_string().parse(), Ok(task));
        }
        for (name, task) in [("SST-2", GlueTask::Sst2), ("STS-B", GlueTask::Stsb), ("CoLA", GlueTask::Cola)] {
            assert_eq!(name.parse(), Ok(task));
        }
        let error = "imdb".parse::<GlueTask>().unwrap_err();
        assert_eq!(
            error,
            "unknown GLUE task \"imdb\"; expected cola, mnli, mrpc, qnli, qqp, rte, sst2, stsb, wnli"
        );
    }

    /// `task_to_keys` of `run_glue.py`, and the label names of `nyu-mll/glue`.
    #[test]
    fn facts_are_those_of_run_glue_and_the_hub() {
        for (name, text, pair, labels) in [
            ("cola", "sentence", None, "unacceptable acceptable"),
            ("mnli", "premise", Some("hypothesis"), "entailment neutral contradiction"),
            ("mrpc", "sentence1", Some("sentence2"), "not_equivalent equivalent"),
            ("qnli", "question", Some("sentence"), "entailment not_entailment"),
            ("qqp", "question1", Some("question2"), "not_duplicate duplicate"),
            ("rte", "sentence1", Some("sentence2"), "entailment not_entailment"),
            ("sst2", "sentence", None, "negative positive"),
            ("stsb", "sentence1", Some("sentence2"), ""),
            ("wnli", "sentence1", Some("sentence2"), "not_entailment entailment"),
        ] {
            let task: GlueTask = name.parse().unwrap();
            let columns = task.columns();
            assert_eq!(
                (columns.texts.concat().as_str(), columns.text_pair.as_deref()),
                (text, pair),
                "{name}"
            );
            assert_eq!(task.label_names().join(" "), labels, "{name}");
            assert_eq!(task.num_labels(), labels.split(' ').count(), "{name}");
            assert_eq!(task.label_map().is_none(), task.problem_type() == ProblemType::Regression, "{name}");
        }
    }
}
