//! Permutations, compared with NumPy.

use embert_data::permutation;
use serde_json::Value;

/// Written by `fixtures/permutation/generate.py` with NumPy 2.4.6.
const CASES: &str = include_str!("fixtures/permutation/permutations.json");

fn checksum(order: &[usize]) -> u64 {
    let fold = |total: u128, &value: &usize| (total * 1_000_003 + value as u128) % ((1 << 61) - 1);
    order.iter().fold(0, fold) as u64
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|index| index.as_u64().unwrap() as usize).collect()
}

#[test]
fn permutations_equal_numpy() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 45);
    for case in cases {
        let (seed, len) = (case["seed"].as_u64().unwrap(), case["n"].as_u64().unwrap() as usize);
        let order = permutation(seed, len);
        assert_eq!(order.len(), len);
        assert_eq!(order[..len.min(5)], indices(&case["first"]), "seed {seed}, n {len}");
        assert_eq!(order[len.saturating_sub(5)..], indices(&case["last"]), "seed {seed}, n {len}");
        assert_eq!(checksum(&order), case["checksum"].as_u64().unwrap(), "seed {seed}, n {len}");
    }
}

#[test]
fn a_shuffled_sample_of_imdb_has_488_positive_reviews() {
    // order = numpy.random.default_rng(42).permutation(25000); order[:5]; (order[:1000] >= 12500).sum()
    let order = permutation(42, 25_000);
    assert_eq!(order[..5], [19923, 18453, 12236, 16941, 8218]);
    assert_eq!(order[..1000].iter().filter(|&&index| index >= 12_500).count(), 488);
}
