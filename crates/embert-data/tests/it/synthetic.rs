//! Synthetic reviews: balanced, distinct, within the length limits and deterministic.

use std::collections::{BTreeSet, HashSet};

use embert_data::{Dataset, stratified_split, synthetic};

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(' ').map(|word| word.trim_matches(['.', ',']).to_lowercase())
}

fn texts(dataset: &Dataset) -> HashSet<&str> {
    dataset.examples.iter().map(|example| example.text.as_str()).collect()
}

#[test]
fn reviews_are_balanced_distinct_and_have_6_to_60_words() {
    for (count, seed) in [(3000, 42), (3000, 0), (1, 1), (20_001, 5)] {
        let reviews = synthetic(count, seed);
        assert_eq!(reviews.labels.names(), ["negative", "positive"]);
        assert_eq!(reviews.class_counts(), [count.div_ceil(2), count / 2]);
        assert_eq!(texts(&reviews).len(), count);
        let lengths: Vec<usize> = reviews.examples.iter().map(|it| words(&it.text).count()).collect();
        assert!(lengths.iter().all(|length| (6..=60).contains(length)));
        let extremes = lengths.iter().min().zip(lengths.iter().max());
        assert!(count < 3000 || extremes.is_some_and(|(least, most)| *least <= 10 && *most > 50));
    }
    assert!(synthetic(0, 0).is_empty());
}

#[test]
fn reviews_depend_only_on_the_seed() {
    assert_eq!(synthetic(500, 7), synthetic(500, 7));
    assert_ne!(synthetic(500, 7), synthetic(500, 8));
}

#[test]
fn the_vocabulary_is_small() {
    let reviews = synthetic(3000, 42);
    let vocabulary: BTreeSet<String> = reviews.examples.iter().flat_map(|it| words(&it.text)).collect();
    assert!((100..250).contains(&vocabulary.len()), "{} words", vocabulary.len());
}

#[test]
fn both_labels_use_the_same_opinion_words() {
    let reviews = synthetic(3000, 42);
    for word in ["good", "dull", "not", "never", "but", "although", "enjoy", "bored"] {
        let label_of = |label| {
            let holds = |text: &str| words(text).any(|it| it.starts_with(word));
            reviews.examples.iter().any(|it| it.target.label() == Some(label) && holds(&it.text))
        };
        assert!(label_of(0) && label_of(1), "{word:?} gives the label away");
    }
}

#[test]
fn no_review_pattern_is_in_both_parts_of_a_split() {
    const SLOTS: [&str; 3] = [
        "plot script dialogue acting cast lead ending pacing music camera work editing humour direction opening",
        "great wonderful brilliant superb good moving funny clever gripping charming",
        "bad awful terrible dreadful dull boring clumsy weak lazy messy",
    ];
    let slots: HashSet<&str> = SLOTS.iter().flat_map(|line| line.split(' ')).collect();
    let pattern = |text: &str| -> String {
        words(text).map(|word| if slots.contains(word.as_str()) { "@".to_owned() } else { word }).collect()
    };
    let split = stratified_split(&synthetic(3000, 42), 600, 42).unwrap();
    let seen: HashSet<String> = split.train.examples.iter().map(|it| pattern(&it.text)).collect();
    let repeated = split.held_out.examples.iter().filter(|it| seen.contains(&pattern(&it.text)));
    assert_eq!(repeated.map(|it| &it.text).collect::<Vec<_>>(), Vec::<&String>::new());
}
