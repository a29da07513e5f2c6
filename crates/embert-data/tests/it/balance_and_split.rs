//! Class balance, datasets of one class, and the exact counts of a stratified split.

use std::collections::HashSet;

use embert_data::{
    ClassBalance, Dataset, Example, Labels, ProblemType, Target, check_evaluation_rows, permutation,
    require_two_classes, stratified_split,
};

/// Returns rows sorted by label, as in IMDb. Each text is the number of its row.
fn sorted(counts: &[usize]) -> Dataset {
    let labels = counts.iter().enumerate().flat_map(|(label, &count)| vec![label; count]);
    let example = |(row, label): (usize, usize)| Example::new(row.to_string(), Target::Label(label));
    let names = ["neg", "pos", "mixed"].map(str::to_owned)[..counts.len()].to_vec();
    Dataset::of_labels(labels.enumerate().map(example).collect(), Labels::new(names).unwrap())
}

#[test]
fn a_sample_of_imdb_has_48_8_percent_positive_rows() {
    let balance = ClassBalance::of(&sorted(&[12_500, 12_500]).sample(1000, 42));
    assert_eq!(balance.counts, [512, 488]);
    assert_eq!(balance.to_string(), "neg 512 (51.2 %), pos 488 (48.8 %)");
}

#[test]
fn a_sample_is_the_start_of_the_shuffle() {
    let dataset = sorted(&[30, 20]);
    let shuffled = dataset.shuffled(3);
    assert_eq!(dataset.sample(7, 3).examples, shuffled.examples[..7]);
    assert_eq!(dataset.sample(1000, 3), shuffled);
    assert_ne!(shuffled, dataset);
}

#[test]
fn training_rows_of_one_class_are_an_error() {
    let first_rows = sorted(&[50, 50]).select(&(0..50).collect::<Vec<_>>());
    let message = require_two_classes(&first_rows).unwrap_err().to_string();
    assert_eq!(
        message,
        "train: all 50 rows have the label \"neg\", but a classifier needs at least two labels"
    );
    assert!(require_two_classes(&sorted(&[50, 1])).is_ok());
    let none = require_two_classes(&sorted(&[0, 0])).unwrap_err();
    assert_eq!(none.to_string(), "train: no rows");
}

#[test]
fn a_split_is_exact_complete_and_deterministic() {
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
fn rounded_shares_add_up_to_the_requested_rows() {
    for (counts, held_out, expected) in [
        ([10, 10, 10], 10, [4, 3, 3]),  // 3.33 each: the lowest id gets the remaining row
        ([7, 2, 1], 3, [2, 1, 0]),      // 2.1, 0.6, 0.3
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
fn evaluation_rows_of_one_class_have_a_note() {
    let note = check_evaluation_rows(&sorted(&[3, 0])).unwrap().unwrap().to_string();
    assert!(note.starts_with("all 3 rows to evaluate on have the label \"neg\""), "{note}");
    assert_eq!(check_evaluation_rows(&sorted(&[3, 1])).unwrap(), None);
    assert_eq!(check_evaluation_rows(&sorted(&[0, 0])).unwrap_err().to_string(), "eval: no rows");
}

#[test]
fn rare_classes_keep_a_training_row() {
    for (counts, held_out, expected) in [
        ([10, 1, 0], 9, [9, 0, 0]),
        ([10, 1, 1], 6, [6, 0, 0]),
        ([100, 1, 1], 20, [20, 0, 0]),
        ([100, 2, 1], 50, [49, 1, 0]),
        ([2, 2, 0], 2, [1, 1, 0]),
        ([2, 2, 0], 3, [1, 1, 0]), // fewer than requested
        ([2, 2, 2], usize::MAX, [1, 1, 1]),
        ([1, 1, 5], 2, [0, 0, 2]),
        ([1, 1, 1], 0, [0, 0, 0]),
        ([3, 4, 5], 8, [2, 3, 3]),
    ] {
        let dataset = sorted(&counts);
        let split = stratified_split(&dataset, held_out, 1).unwrap();
        assert_eq!(split.held_out.class_counts(), expected, "{held_out} of {counts:?}");
        assert_eq!(split.train.len() + split.held_out.len(), dataset.len());
        assert_eq!(stratified_split(&dataset, held_out, 1).unwrap(), split);
    }
}

#[test]
fn classes_with_one_row_cannot_be_split() {
    for counts in [[1, 0, 0], [1, 1, 1], [0, 0, 0]] {
        let error = stratified_split(&sorted(&counts), 1, 1).unwrap_err().to_string();
        let rows = counts.iter().sum::<usize>();
        assert!(error.starts_with(&format!("cannot hold out 1 of {rows} rows: each class keeps")), "{error}");
    }
}

#[test]
fn held_out_rows_are_the_first_of_each_class_in_the_shuffle() {
    for (counts, held_out, mut quotas) in [([7, 2, 1], 3, [2, 1, 0]), ([10, 10, 10], 10, [4, 3, 3])] {
        let dataset = sorted(&counts);
        let (held, train): (Vec<_>, Vec<_>) = permutation(1, dataset.len()).into_iter().partition(|&row| {
            let quota: &mut usize = &mut quotas[dataset.examples[row].target.label().unwrap()];
            let is_held = *quota > 0;
            *quota = quota.saturating_sub(1);
            is_held
        });
        let split = stratified_split(&dataset, held_out, 1).unwrap();
        assert_eq!((split.held_out, split.train), (dataset.select(&held), dataset.select(&train)));
    }
}

/// Returns multi-label rows. Each text is the number of its row.
fn multi_label(rows: &[&[usize]], num_labels: usize) -> Dataset {
    let example =
        |(row, ids): (usize, &&[usize])| Example::new(row.to_string(), Target::Labels(ids.to_vec()));
    Dataset {
        examples: rows.iter().enumerate().map(example).collect(),
        labels: Labels::numbered(num_labels),
        problem_type: ProblemType::MultiLabelClassification,
    }
}

/// Returns the rows of a regression with one target. Each text is the number of its row.
fn regression(values: &[f32]) -> Dataset {
    let example = |(row, value): (usize, &f32)| Example::new(row.to_string(), Target::Values(vec![*value]));
    Dataset {
        examples: values.iter().enumerate().map(example).collect(),
        labels: Labels::numbered(1),
        problem_type: ProblemType::Regression,
    }
}

#[test]
fn multi_label_balance_counts_positive_rows_and_rows_without_labels() {
    let balance = ClassBalance::of(&multi_label(&[&[0], &[0, 1], &[], &[]], 3));
    assert_eq!((balance.counts.clone(), balance.total()), (vec![2, 1, 0], 4));
    assert_eq!(
        balance.to_string(),
        "LABEL_0 2 (50.0 %), LABEL_1 1 (25.0 %), LABEL_2 0 (0.0 %), no label 2 (50.0 %)"
    );
}

#[test]
fn regression_balance_is_the_distribution_of_the_targets() {
    // pandas.Series([1.0, 2.0, 4.5]).describe() → mean 2.5, std 1.802776, min 1.0, max 4.5
    let balance = ClassBalance::of(&regression(&[1.0, 2.0, 4.5]));
    assert!((balance.targets[0].std - 1.802_775_637_731_994_6).abs() < 1e-12);
    assert_eq!(balance.to_string(), "LABEL_0 1 to 4.5 (mean 2.5, std 1.803)");
    assert_eq!(ClassBalance::of(&regression(&[3.0])).targets[0].std, 0.0);
}

#[test]
fn training_rows_of_every_problem_type_are_checked() {
    for (dataset, expected) in [
        (multi_label(&[&[0], &[1]], 2), Ok(None)),
        (multi_label(&[&[0], &[]], 1), Ok(None)),
        (multi_label(&[&[0], &[0]], 2), Ok(Some("train: none of the 2 rows has the labels \"LABEL_1\""))),
        (
            multi_label(&[&[], &[]], 2),
            Err("train: none of the 2 rows has a label; choose another split or file"),
        ),
        (multi_label(&[], 2), Err("train: no rows")),
        (regression(&[1.0, 2.0]), Ok(None)),
        (regression(&[2.5, 2.5]), Ok(Some("train: all 2 rows have the number 2.5 for LABEL_0"))),
        (regression(&[]), Err("train: no rows")),
    ] {
        let found = require_two_classes(&dataset).map_err(|error| error.to_string());
        let found = found.map(|note| note.map(|note| note.to_string()));
        assert_eq!(found, expected.map(|note| note.map(str::to_owned)).map_err(str::to_owned));
    }
    let note = check_evaluation_rows(&multi_label(&[&[0]], 2)).unwrap().unwrap().to_string();
    assert_eq!(note, "eval: none of the 1 rows has the labels \"LABEL_1\"");
}

#[test]
fn multi_label_and_regression_rows_are_split_by_the_shuffle() {
    let values = (0..50).map(|row| row as f32).collect::<Vec<_>>();
    let many = vec![&[0, 1][..]; 50];
    for (dataset, held_out, expected) in [
        (regression(&values), 10, 10),
        (regression(&values), 500, 49),
        (multi_label(&many, 2), 10, 10),
        (multi_label(&many, 2), 50, 49),
        (multi_label(&[&[], &[], &[]], 2), 2, 2),
        (multi_label(&[&[0], &[1], &[0], &[]], 2), 3, 2), // the only row of label 1 stays
    ] {
        let split = stratified_split(&dataset, held_out, 5).unwrap();
        assert_eq!(split.held_out.len(), expected);
        assert_eq!(split.train.len(), dataset.len() - expected);
        assert_eq!(split.train.problem_type, dataset.problem_type);
        let (all, train) = (dataset.class_counts(), split.train.class_counts());
        assert!(all.iter().zip(&train).all(|(all, train)| *all == 0 || *train > 0), "{train:?}");
        assert_eq!(stratified_split(&dataset, held_out, 5).unwrap(), split);
    }
    let order = permutation(5, 50);
    let split = stratified_split(&regression(&values), 10, 5).unwrap();
    let texts = split.held_out.examples.iter().map(|example| example.text.parse().unwrap());
    assert_eq!(texts.collect::<Vec<usize>>(), order[..10]);
}

#[test]
fn rows_that_training_needs_cannot_be_held_out() {
    for dataset in [multi_label(&[&[0], &[1]], 2), regression(&[1.0])] {
        let error = stratified_split(&dataset, 1, 1).unwrap_err().to_string();
        assert!(error.starts_with("cannot hold out 1 of "), "{error}");
        assert!(stratified_split(&dataset, 0, 1).unwrap().held_out.is_empty());
    }
}
