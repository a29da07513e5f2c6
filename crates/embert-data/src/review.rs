//! What a data set is: texts, each with the id of its label, and the labels' names.

use std::collections::BTreeSet;

use crate::error::DataError;
use crate::permutation::permutation;

/// A text and the id of its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The text, as it stood in the file.
    pub text: String,
    /// The id of the label, an index into [`Labels::names`].
    pub label: usize,
}

/// The names of the labels, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
}

impl Labels {
    /// Labels with these names; the first has id 0.
    ///
    /// # Errors
    ///
    /// [`DataError::DuplicateLabel`] when a name is there twice.
    pub fn new(names: Vec<String>) -> Result<Self, DataError> {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::DuplicateLabel { name: pair[0].clone() });
        }
        Ok(Self { names })
    }

    /// `LABEL_0`, `LABEL_1` and so on: the names that transformers gives to labels without any.
    pub fn numbered(count: usize) -> Self {
        Self { names: (0..count).map(|id| format!("LABEL_{id}")).collect() }
    }

    /// The names, in the order of the ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The id of the label with this name.
    pub fn id(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

/// Labelled texts, in an order that matters: that of the file, or of a shuffle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The rows. Each label is below `labels.len()`.
    pub examples: Vec<Example>,
    /// The names of the labels; some may have no rows.
    pub labels: Labels,
}

impl Dataset {
    /// Returns examples with their labels by name. The ids of the labels are those of the sorted names.
    pub fn from_pairs<T: Into<String>, L: Into<String>>(pairs: impl IntoIterator<Item = (T, L)>) -> Self {
        let (texts, of_texts): (Vec<String>, Vec<String>) =
            pairs.into_iter().map(|(text, label)| (text.into(), label.into())).unzip();
        let names = BTreeSet::from_iter(of_texts.iter().cloned()).into_iter().collect::<Vec<_>>();
        let id = |label| names.binary_search(&label).expect("every label has a name");
        let examples =
            texts.into_iter().zip(of_texts).map(|(text, label)| Example { text, label: id(label) }).collect();
        Self { examples, labels: Labels { names } }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// The rows with these indices, in this order. Copies their texts.
    ///
    /// # Panics
    ///
    /// When an index is not below [`len`](Self::len).
    pub fn select(&self, indices: &[usize]) -> Self {
        let examples = indices.iter().map(|&index| self.examples[index].clone()).collect();
        Self { examples, labels: self.labels.clone() }
    }

    /// All rows, in the order of [`permutation`] with this seed: `shuffle(seed)` of `datasets`.
    pub fn shuffled(&self, seed: u64) -> Self {
        self.select(&permutation(seed, self.len()))
    }

    /// `count` rows, or all when there are fewer: `shuffle(seed).select(range(count))` of `datasets`.
    pub fn sample(&self, count: usize, seed: u64) -> Self {
        let mut indices = permutation(seed, self.len());
        indices.truncate(count);
        self.select(&indices)
    }

    /// How many rows each label has, by id.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.labels.len()];
        for example in &self.examples {
            counts[example.label] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_memory_have_the_ids_of_their_sorted_names() {
        let dataset = Dataset::from_pairs([("a", "yes"), ("b", "no"), ("c", "yes")]);
        assert_eq!(dataset.labels.names(), ["no", "yes"]);
        let examples = dataset.examples.iter().map(|example| (example.text.as_str(), example.label));
        assert_eq!(examples.collect::<Vec<_>>(), [("a", 1), ("b", 0), ("c", 1)]);
        assert!(Dataset::from_pairs::<&str, &str>([]).is_empty());
    }

    #[test]
    fn a_label_is_found_by_its_name() {
        let labels = Labels::new(vec!["neg".into(), "pos".into()]).unwrap();
        assert_eq!((labels.id("pos"), labels.id("POS")), (Some(1), None));
    }

    #[test]
    fn two_labels_with_one_name_are_refused() {
        let error = Labels::new(vec!["a".into(), "b".into(), "a".into()]).unwrap_err();
        assert_eq!(error.to_string(), "label \"a\" is there twice");
    }

    #[test]
    fn labels_without_names_are_called_as_in_transformers() {
        assert_eq!(Labels::numbered(2).names(), ["LABEL_0", "LABEL_1"]);
    }
}
