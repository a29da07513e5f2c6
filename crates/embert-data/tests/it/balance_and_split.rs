//! Class balance, the refusal of one class, and the exact counts of a stratified split.

use std::collections::HashSet;

use embert_data::{ClassBalance, DataError, Dataset, Example, Labels, require_two_classes, stratified_split};

/// Rows sorted by label, as IMDb has them; each text is the row's number.
fn sorted(counts: &[usize]) -> Dataset {
    let labels = counts.iter().enumerate().flat_map(|(label, &count)| vec![label; count]);
    let example = |(row, label): (usize, usize)| Example { text: row.to_string(), label };
    let names = ["neg", "pos", "mixed"].map(str::to_owned)[..counts.len()].to_vec();
    Dataset { examples: labels.enumerate().map(example).collect(), labels: Labels::new(names).unwrap() }
}

#[test]
fn a_sample_of_imdbs_label_order_holds_48_8_percent_positives() {
    let balance = ClassBalance::of(&sorted(&[12_500, 12_500]).sample(1000, 42));
    assert_eq!(balance.counts, [512, 488]);
    assert_eq!(balance.to_string(), "neg 512 (51.2 %), pos 488 (48.8 %)");
}

#[test]
fn a_sample_is_the_beginning_of_the_shuffle_or_all_of_it() {
    let dataset = sorted(&[30, 20]);
    let shuffled = dataset.shuffled(3);
    assert_eq!(dataset.sample(7, 3).examples, shuffled.examples[..7]);
    assert_eq!(dataset.sample(1000, 3), shuffled);
    assert_ne!(shuffled, dataset);
}

#[test]
fn the_first_rows_of_a_sorted_data_set_are_refused_with_the_reason_and_the_flag() {
    let first_rows = sorted(&[50, 50]).select(&(0..50).collect::<Vec<_>>());
    let message = require_two_classes(&first_rows, "train").unwrap_err().to_string();
    assert_eq!(
        message,
        "train: all 50 rows have the label \"neg\", and a classifier needs two: data sets like IMDb are sorted by label, \
         so their first rows are of one class; shuffle before taking a part (--max_train_samples N does), or check the split"
    );
    assert!(require_two_classes(&sorted(&[50, 1]), "train").is_ok());
    let none = require_two_classes(&sorted(&[0, 0]), "eval").unwrap_err();
    assert_eq!(none.to_string(), "eval: no rows");
}

#[test]
fn a_split_is_exact_complete_and_the_same_for_the_same_seed() {
    let dataset = sorted(&[1500, 1500]);
    let split = stratified_split(&dataset, 600, 42).unwrap();
    assert_eq!(split.train.class_counts(), [1200, 1200]);
    assert_eq!(split.held_out.class_counts(), [300, 300]);
    let texts = |part: &Dataset| part.examples.iter().map(|it| it.text.clone()).collect::<HashSet<_>>();
    assert_eq!(texts(&split.train).union(&texts(&split.held_out)).count(), 3000);
    assert_eq!(stratified_split(&dataset, 600, 42).unwrap(), split);
    assert_ne!(stratified_split(&dataset, 600, 43).unwrap(), split);
}

#[test]
fn shares_are_rounded_so_that_the_sum_is_exact() {
    for (counts, held_out, expected) in [
        ([10, 10, 10], 10, [4, 3, 3]), // 3.33 each: the lowest id gets the row that is left
        ([7, 2, 1], 3, [2, 1, 0]),     // 2.1, 0.6, 0.3
        ([100, 50, 3], 20, [13, 7, 0]), // 13.07, 6.54, 0.39
        ([5, 5, 0], 4, [2, 2, 0]),
        ([5, 5, 5], 0, [0, 0, 0]),
    ] {
        let split = stratified_split(&sorted(&counts), held_out, 1).unwrap();
        assert_eq!(split.held_out.class_counts(), expected, "{held_out} of {counts:?}");
        assert_eq!(split.train.len(), counts.iter().sum::<usize>() - held_out);
    }
}

#[test]
fn a_split_that_leaves_a_class_nothing_to_train_on_is_refused() {
    let error = stratified_split(&sorted(&[10, 1]), 9, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot hold out 9 of 11 rows: none of the 1 labelled \"pos\" would be left to train on"
    );
    for held_out in [4, 5, usize::MAX] {
        let refused = stratified_split(&sorted(&[2, 2]), held_out, 1);
        assert!(matches!(refused, Err(DataError::CannotSplit { .. })), "{held_out}");
    }
}
