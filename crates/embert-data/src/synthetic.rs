//! Made-up movie reviews: a seeded grammar with aspects, intensity, negation and contrast.
//!
//! A review is some sentences that judge the film, all to the same verdict, among some that do not.
//! What a sentence says hangs on more than its words: "never dull" praises, and in "the plot is weak,
//! yet the acting saves it" the clause after the contrast rules. So counting words gets about four
//! reviews in five right, and reading them gets nearly all.

mod grammar;

use std::collections::HashSet;

use crate::permutation::Generator;
use crate::review::{Dataset, Example};
use grammar::{Draft, Verdict};

const FEWEST_WORDS: usize = 6;
const MOST_WORDS: usize = 60;

/// Makes `count` reviews, of which every second is positive; the labels are `negative` and `positive`.
///
/// 6 to 60 words each. No two are alike even with their aspects and judging words taken out, so
/// however they are split, no sentence pattern of a whole review stands on both sides. The same `count`
/// and `seed` give the same reviews.
pub fn synthetic(count: usize, seed: u64) -> Dataset {
    let mut generator = Generator::new(seed);
    let mut patterns = HashSet::new();
    let mut examples: Vec<Example> = (0..count)
        .map(|index| {
            let verdict = if index % 2 == 0 { Verdict::Negative } else { Verdict::Positive };
            let text = new_review(verdict, &mut patterns, &mut generator);
            Example { text, label: index % 2 }
        })
        .collect();
    generator.shuffle(&mut examples);
    Dataset { examples, labels: grammar::labels() }
}

/// A review whose pattern is not among `patterns` yet. Long reviews have more patterns than anybody
/// asks for, so the search ends.
fn new_review(verdict: Verdict, patterns: &mut HashSet<String>, generator: &mut Generator) -> String {
    loop {
        let draft = review(verdict, generator);
        if is_sound(&draft) && patterns.insert(draft.pattern) {
            return draft.text;
        }
    }
}

/// Whether the length is right and nothing is said of an aspect, or with an adjective, twice.
fn is_sound(draft: &Draft) -> bool {
    let words = draft.text.split(' ').count();
    let mut seen = HashSet::new();
    (FEWEST_WORDS..=MOST_WORDS).contains(&words) && draft.slots.iter().all(|slot| seen.insert(*slot))
}

/// One to three sentences that judge the film and up to five that do not. Three times in four the
/// judgement comes first.
fn review(verdict: Verdict, generator: &mut Generator) -> Draft {
    let judging = *generator.pick(&[1, 1, 2, 2, 3]);
    let others = *generator.pick(&[0, 0, 0, 0, 1, 1, 2, 5]);
    let mut kinds = vec!["judgement"; judging];
    kinds.resize(judging + others, "setting");
    if generator.up_to(3) == 0 {
        generator.shuffle(&mut kinds);
    }
    let sentences = kinds.into_iter().map(|kind| grammar::sentence(kind, verdict, generator));
    Draft::join(sentences)
}
