//! Synthetic data sets for the other tasks, made of synthetic reviews: sentence pairs, topics and stars.

use std::fmt;
use std::str::FromStr;

use super::synthetic;
use crate::dataset::{Dataset, Example, Labels, Target};
use crate::problem_type::ProblemType;

/// A generated data set. Its text form is `synthetic`, `synthetic-pairs`, `synthetic-topics` or `synthetic-stars`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synthetic {
    /// One review and its sentiment: `negative` or `positive`.
    Reviews,
    /// A positive and a negative review: is the `first` or the `second` one positive?
    Pairs,
    /// One review and its topics: any of `acting`, `picture`, `recommended`, `sound` and `story`.
    Topics,
    /// One to three short reviews of a film and its stars: 1 + 4 · the share of positive reviews.
    Stars,
}

/// The topics in the order of their ids, and the words that a review of the topic has.
const TOPICS: [(&str, &[&str]); 5] = [
    ("acting", &["the acting", "the cast", "the lead"]),
    ("picture", &["the camera work", "the editing"]),
    ("recommended", &[]), // the sentiment decides
    ("sound", &["the music", "the dialogue"]),
    ("story", &["the plot", "the script", "the ending", "the opening", "the pacing"]),
];
const RECOMMENDED: usize = 2;

/// The maximum number of words of a review about stars.
const MAX_WORDS: usize = 20;

impl Synthetic {
    const ALL: [Self; 4] = [Self::Reviews, Self::Pairs, Self::Topics, Self::Stars];

    /// Generates `count` examples. The same `count` and `seed` give the same examples.
    ///
    /// ```
    /// use embert_data::{Synthetic, Target};
    ///
    /// let stars = Synthetic::Stars.generate(10, 42);
    /// assert!(matches!(&stars.examples[0].target, Target::Values(values) if values.len() == 1));
    /// ```
    pub fn generate(self, count: usize, seed: u64) -> Dataset {
        match self {
            Self::Reviews => synthetic(count, seed),
            Self::Pairs => pairs(count, seed),
            Self::Topics => topics(count, seed),
            Self::Stars => stars(count, seed),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reviews => "synthetic",
            Self::Pairs => "synthetic-pairs",
            Self::Topics => "synthetic-topics",
            Self::Stars => "synthetic-stars",
        }
    }
}

impl fmt::Display for Synthetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error is a message with the valid names.
impl FromStr for Synthetic {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|synthetic| synthetic.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("unknown synthetic data set {name:?}; expected one of {names}")
        })
    }
}

fn pairs(count: usize, seed: u64) -> Dataset {
    let reviews = synthetic(2 * count, seed).examples;
    let (positive, negative): (Vec<_>, Vec<_>) = reviews.into_iter().partition(is_positive);
    let examples = positive.into_iter().zip(negative).enumerate().map(|(index, (positive, negative))| {
        let label = index % 2;
        let (first, second) = if label == 0 { (positive, negative) } else { (negative, positive) };
        Example { text_pair: Some(second.text), target: Target::Label(label), ..first }
    });
    dataset(examples.collect(), &["first", "second"], ProblemType::SingleLabelClassification)
}

fn topics(count: usize, seed: u64) -> Dataset {
    let examples = synthetic(count, seed).examples.into_iter().map(|review| {
        let text = review.text.to_lowercase();
        let has = |(id, (_, words)): &(usize, (&str, &[&str]))| {
            if *id == RECOMMENDED {
                is_positive(&review)
            } else {
                words.iter().any(|word| text.contains(word))
            }
        };
        let labels = TOPICS.into_iter().enumerate().filter(has).map(|(id, _)| id).collect();
        Example { target: Target::Labels(labels), ..review }
    });
    dataset(examples.collect(), &TOPICS.map(|(name, _)| name), ProblemType::MultiLabelClassification)
}

fn stars(count: usize, seed: u64) -> Dataset {
    // More than half of the reviews are short, and a film has two of them on average.
    let reviews = synthetic(8 * count, seed).examples;
    let mut short = reviews.iter().filter(|review| review.text.split(' ').count() <= MAX_WORDS);
    let examples = (0..count).map(|index| {
        let reviews = short.by_ref().take(1 + index % 3).collect::<Vec<_>>();
        let positive = reviews.iter().filter(|review| is_positive(review)).count();
        let texts = reviews.iter().map(|review| review.text.as_str()).collect::<Vec<_>>();
        let value = 1.0 + 4.0 * positive as f32 / reviews.len() as f32;
        Example { text: texts.join(" "), text_pair: None, target: Target::Values(vec![value]) }
    });
    dataset(examples.collect(), &["stars"], ProblemType::Regression)
}

fn is_positive(review: &Example) -> bool {
    review.target == Target::Label(1)
}

fn dataset(examples: Vec<Example>, names: &[&str], problem_type: ProblemType) -> Dataset {
    let labels = Labels::new(names.iter().map(|&name| name.to_owned()).collect());
    Dataset { examples, labels: labels.unwrap_or_else(|_| Labels::numbered(names.len())), problem_type }
}
