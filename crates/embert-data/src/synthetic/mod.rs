//! Synthetic movie reviews: a seeded grammar with aspects, intensity, negation and contrast.
//!
//! A review mixes sentences with an opinion, all of one sentiment, with neutral sentences. Single words do not
//! decide the sentiment: "never dull" is positive, and in "the plot is weak, yet the acting saves it" the second
//! clause counts. A bag of words therefore classifies only about four of five reviews correctly.

mod grammar;
mod tasks;

use std::collections::HashSet;

use crate::dataset::{Dataset, Example, Target};
use crate::permutation::Generator;
use grammar::{Draft, Sentiment};
pub use tasks::Synthetic;

const MIN_WORDS: usize = 6;
const MAX_WORDS: usize = 60;

/// Generates `count` movie reviews; half of them are positive. The labels are `negative` and `positive`.
///
/// A review has 6 to 60 words. All reviews differ, even if aspects and adjectives are removed. So in any split, no
/// held-out review repeats the sentence pattern of a training review. The same `count` and `seed` give the same
/// reviews.
///
/// ```
/// let reviews = embert_data::synthetic(100, 42);
/// assert_eq!(reviews.class_counts(), [50, 50]);
/// ```
pub fn synthetic(count: usize, seed: u64) -> Dataset {
    let mut generator = Generator::new(seed);
    let mut patterns = HashSet::new();
    let mut examples: Vec<Example> = (0..count)
        .map(|index| {
            let sentiment = if index % 2 == 0 { Sentiment::Negative } else { Sentiment::Positive };
            let text = new_review(sentiment, &mut patterns, &mut generator);
            Example::new(text, Target::Label(index % 2))
        })
        .collect();
    generator.shuffle(&mut examples);
    Dataset::of_labels(examples, grammar::labels())
}

/// Returns a review with a new pattern, and adds it to `patterns`.
///
/// The loop ends, because long reviews have far more patterns than any useful `count`.
fn new_review(sentiment: Sentiment, patterns: &mut HashSet<String>, generator: &mut Generator) -> String {
    loop {
        let draft = review(sentiment, generator);
        if is_valid(&draft) && patterns.insert(draft.pattern) {
            return draft.text;
        }
    }
}

/// Returns true if the length is allowed and no aspect or adjective occurs twice.
fn is_valid(draft: &Draft) -> bool {
    let words = draft.text.split(' ').count();
    let mut seen = HashSet::new();
    (MIN_WORDS..=MAX_WORDS).contains(&words) && draft.slots.iter().all(|slot| seen.insert(*slot))
}

/// Generates one to three sentences with an opinion and up to five neutral ones. In three of four reviews, the opinion
/// comes first.
fn review(sentiment: Sentiment, generator: &mut Generator) -> Draft {
    let num_opinions = *generator.pick(&[1, 1, 2, 2, 3]);
    let num_neutral = *generator.pick(&[0, 0, 0, 0, 1, 1, 2, 5]);
    let mut kinds = vec!["opinion"; num_opinions];
    kinds.resize(num_opinions + num_neutral, "neutral");
    if generator.up_to(3) == 0 {
        generator.shuffle(&mut kinds);
    }
    let sentences = kinds.into_iter().map(|kind| grammar::sentence(kind, sentiment, generator));
    Draft::join(sentences)
}
