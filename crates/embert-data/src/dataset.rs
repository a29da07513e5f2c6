//! Datasets in memory: texts, each with its target, and the names of the labels.

use std::collections::BTreeSet;

use crate::error::DataError;
use crate::permutation::permutation;
use crate::problem_type::ProblemType;

/// A text or a pair of texts, and what a model learns to predict for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text, unchanged from the file.
    pub text: String,
    /// The second text of a pair.
    pub text_pair: Option<String>,
    /// The label, the labels or the numbers.
    pub target: Target,
}

impl Example {
    /// Returns an example of one text.
    pub fn new(text: impl Into<String>, target: Target) -> Self {
        Self { text: text.into(), text_pair: None, target }
    }
}

/// The target of a row. All rows of a dataset have the variant of its [`ProblemType`].
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The id of the label, an index into [`Labels::names`].
    Label(usize),
    /// The sorted ids of the labels, without duplicates.
    Labels(Vec<usize>),
    /// One number for each of [`Labels::names`].
    Values(Vec<f32>),
}

impl Target {
    /// Returns the id of the only label of a row; `None` for other problem types.
    pub fn label(&self) -> Option<usize> {
        match self {
            Self::Label(id) => Some(*id),
            Self::Labels(_) | Self::Values(_) => None,
        }
    }

    /// Returns the ids of the labels of a row; empty for regression.
    pub fn label_ids(&self) -> &[usize] {
        match self {
            Self::Label(id) => std::slice::from_ref(id),
            Self::Labels(ids) => ids,
            Self::Values(_) => &[],
        }
    }

    /// Returns the numbers of a row; empty for classification.
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Values(values) => values,
            Self::Label(_) | Self::Labels(_) => &[],
        }
    }
}

/// The names of the labels, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
}

impl Labels {
    /// Returns labels with these names. Ids follow the order of the names; the first id is 0.
    ///
    /// # Errors
    ///
    /// [`DataError::DuplicateLabel`] if a name occurs twice.
    pub fn new(names: Vec<String>) -> Result<Self, DataError> {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::DuplicateLabel { name: pair[0].clone() });
        }
        Ok(Self { names })
    }

    /// Returns labels with these names, which must be distinct.
    pub(crate) fn of_distinct(names: Vec<String>) -> Self {
        Self { names }
    }

    /// Returns the names `LABEL_0`, `LABEL_1` and so on, which transformers gives to labels without names.
    pub fn numbered(count: usize) -> Self {
        Self { names: (0..count).map(|id| format!("LABEL_{id}")).collect() }
    }

    /// Returns the names, in the order of the ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of labels.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns true if there are no labels.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the id of the label with this name. Letter case matters.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Labelled texts, in the order of the file or of a shuffle.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The rows. Each label is below `labels.len()`.
    pub examples: Vec<Example>,
    /// The names of the labels; some may have no rows. For regression, the names of the targets.
    pub labels: Labels,
    /// What the targets are.
    pub problem_type: ProblemType,
}

impl Dataset {
    /// Builds a dataset from pairs of a text and a label name. Ids follow the sorted label names.
    ///
    /// ```
    /// use embert_data::Dataset;
    ///
    /// let dataset = Dataset::from_pairs([("I like it", "pos"), ("I do not", "neg")]);
    /// assert_eq!(dataset.labels.names(), ["neg", "pos"]);
    /// assert_eq!(dataset.examples[0].target.label(), Some(1));
    /// ```
    pub fn from_pairs<T: Into<String>, L: Into<String>>(pairs: impl IntoIterator<Item = (T, L)>) -> Self {
        let (texts, of_texts): (Vec<String>, Vec<String>) =
            pairs.into_iter().map(|(text, label)| (text.into(), label.into())).unzip();
        let names = BTreeSet::from_iter(of_texts.iter().cloned()).into_iter().collect::<Vec<_>>();
        let id = |label| names.binary_search(&label).expect("every label has a name");
        let target = |label| Target::Label(id(label));
        let examples = texts.into_iter().zip(of_texts);
        let examples = examples.map(|(text, label)| Example::new(text, target(label))).collect();
        Self::of_labels(examples, Labels { names })
    }

    /// Builds a dataset of examples with one label each.
    pub fn of_labels(examples: Vec<Example>, labels: Labels) -> Self {
        Self { examples, labels, problem_type: ProblemType::SingleLabelClassification }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// Returns the rows with these indices, in this order. Copies their texts.
    ///
    /// # Panics
    ///
    /// Panics if an index is not below [`len`](Self::len).
    pub fn select(&self, indices: &[usize]) -> Self {
        let examples = indices.iter().map(|&index| self.examples[index].clone()).collect();
        Self { examples, labels: self.labels.clone(), problem_type: self.problem_type }
    }

    /// Returns all rows in the order of [`permutation`] with this seed: `shuffle(seed)` of `datasets`.
    ///
    /// # Panics
    ///
    /// Panics if there are 2^32 rows or more.
    pub fn shuffled(&self, seed: u64) -> Self {
        self.select(&permutation(seed, self.len()))
    }

    /// Returns `count` random rows, or all rows if there are fewer: `shuffle(seed).select(range(count))` of `datasets`.
    ///
    /// # Panics
    ///
    /// Panics if there are 2^32 rows or more.
    pub fn sample(&self, count: usize, seed: u64) -> Self {
        let mut indices = permutation(seed, self.len());
        indices.truncate(count);
        self.select(&indices)
    }

    /// Returns the id of the label of each row, of a dataset with one label per row.
    ///
    /// # Panics
    ///
    /// Panics if a row has another target.
    pub fn label_ids(&self) -> Vec<usize> {
        let label = |example: &Example| example.target.label().expect("each row has one label");
        self.examples.iter().map(label).collect()
    }

    /// Returns the number of rows that have each label, by id. For regression, all counts are 0.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for id in self.examples.iter().flat_map(|example| example.target.label_ids()) {
            counts[*id] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_pairs_numbers_labels_by_sorted_name() {
        let dataset = Dataset::from_pairs([("a", "yes"), ("b", "no"), ("c", "yes")]);
        assert_eq!(dataset.labels.names(), ["no", "yes"]);
        let examples =
            dataset.examples.iter().map(|example| (example.text.as_str(), example.target.label_ids()));
        assert_eq!(examples.collect::<Vec<_>>(), [("a", &[1][..]), ("b", &[0]), ("c", &[1])]);
        assert!(Dataset::from_pairs::<&str, &str>([]).is_empty());
    }

    #[test]
    fn ids_are_looked_up_by_exact_name() {
        let labels = Labels::new(vec!["neg".into(), "pos".into()]).unwrap();
        assert_eq!((labels.id("pos"), labels.id("POS")), (Some(1), None));
    }

    #[test]
    fn duplicate_label_names_are_an_error() {
        let error = Labels::new(vec!["a".into(), "b".into(), "a".into()]).unwrap_err();
        assert_eq!(error.to_string(), "duplicate label \"a\"");
    }

    #[test]
    fn numbered_labels_have_the_names_of_transformers() {
        assert_eq!(Labels::numbered(2).names(), ["LABEL_0", "LABEL_1"]);
    }
}
