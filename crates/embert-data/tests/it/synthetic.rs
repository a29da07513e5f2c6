//! Synthetic reviews: balanced, distinct, within the length limits and deterministic.

use std::collections::{BTreeSet, HashSet};

use embert_data::{Dataset, ProblemType, Synthetic, Target, stratified_split, synthetic};

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

#[test]
fn pairs_ask_for_the_positive_review() {
    let pairs = Synthetic::Pairs.generate(2000, 42);
    assert_eq!(pairs.labels.names(), ["first", "second"]);
    assert_eq!(pairs.problem_type, ProblemType::SingleLabelClassification);
    assert_eq!(pairs.class_counts(), [1000, 1000]);
    let reviews = synthetic(4000, 42);
    let positive = reviews.examples.iter().filter(|review| review.target == Target::Label(1));
    let positive = positive.map(|review| review.text.as_str()).collect::<HashSet<_>>();
    for example in &pairs.examples {
        let texts = [example.text.as_str(), example.text_pair.as_deref().unwrap()];
        let is_positive = texts.map(|text| positive.contains(text));
        let label = example.target.label().unwrap();
        assert_eq!(is_positive, [label == 0, label == 1], "{texts:?}");
    }
}

#[test]
fn topics_are_words_of_the_text_or_its_sentiment() {
    let topics = Synthetic::Topics.generate(2000, 42);
    assert_eq!(topics.labels.names(), ["acting", "picture", "recommended", "sound", "story"]);
    assert_eq!(topics.problem_type, ProblemType::MultiLabelClassification);
    let counts = topics.class_counts();
    assert_eq!(counts[2], 1000, "half of the reviews are positive");
    assert!(counts.iter().all(|&count| (200..=1600).contains(&count)), "{counts:?}");
    for example in &topics.examples {
        let has_music = example.text.contains("usic") || example.text.contains("ialogue");
        assert_eq!(example.target.label_ids().contains(&3), has_music, "{}", example.text);
    }
}

#[test]
fn stars_are_the_share_of_positive_reviews() {
    let stars = Synthetic::Stars.generate(2000, 42);
    assert_eq!(stars.labels.names(), ["stars"]);
    assert_eq!(stars.problem_type, ProblemType::Regression);
    let values: BTreeSet<String> =
        stars.examples.iter().map(|example| format!("{:.2}", example.target.values()[0])).collect();
    assert_eq!(values.into_iter().collect::<Vec<_>>(), ["1.00", "2.33", "3.00", "3.67", "5.00"]);
    assert!(stars.examples.iter().all(|example| words(&example.text).count() <= 60));
}

#[test]
fn generated_data_sets_have_names_and_depend_only_on_the_seed() {
    for name in ["synthetic", "synthetic-pairs", "synthetic-topics", "synthetic-stars"] {
        let generated: Synthetic = name.parse().unwrap();
        assert_eq!(generated.to_string(), name);
        assert_eq!(generated.generate(100, 7), generated.generate(100, 7));
        assert_ne!(generated.generate(100, 7), generated.generate(100, 8));
        assert_eq!(generated.generate(100, 7).len(), 100);
    }
    assert!("synthetic-star".parse::<Synthetic>().unwrap_err().contains("synthetic-stars"));
}
