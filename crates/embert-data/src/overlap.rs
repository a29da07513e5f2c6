//! Overlap of training and evaluation data: texts that occur in both make the metrics too good.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::clean::clean;
use crate::dataset::{Dataset, Example};

/// Returns the number of rows of `eval` whose text, or pair of texts, also occurs in `train`.
///
/// Texts are compared after [`clean`], so differences in markup and whitespace do not matter; letter case does.
pub fn overlap(eval: &Dataset, train: &Dataset) -> usize {
    let train_hashes = train.examples.iter().map(hash).collect::<HashSet<_>>();
    eval.examples.iter().filter(|example| train_hashes.contains(&hash(example))).count()
}

fn hash(example: &Example) -> u64 {
    let mut hasher = DefaultHasher::new();
    clean(&example.text).hash(&mut hasher);
    example.text_pair.as_deref().map(clean).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Labels, Target};

    #[test]
    fn texts_that_differ_only_in_markup_overlap() {
        let dataset = |texts: &[&str]| {
            let examples = texts.iter().map(|&text| Example::new(text, Target::Label(0))).collect();
            Dataset::of_labels(examples, Labels::numbered(2))
        };
        let train = dataset(&["Great!<br /><br />I like it.", "dull", "dull"]);
        let eval = dataset(&["Great!  I like it.", "Dull", "dull", " dull\n", "new"]);
        assert_eq!(overlap(&eval, &train), 3);
        assert_eq!(overlap(&eval, &dataset(&[])), 0);
    }

    #[test]
    fn pairs_overlap_if_both_texts_are_equal() {
        let dataset = |pairs: &[(&str, Option<&str>)]| {
            let example = |(text, pair): &(&str, Option<&str>)| Example {
                text_pair: pair.map(str::to_owned),
                ..Example::new(*text, Target::Label(0))
            };
            Dataset::of_labels(pairs.iter().map(example).collect(), Labels::numbered(2))
        };
        let train = dataset(&[("a", Some("b")), ("c", Some(""))]);
        let eval = dataset(&[("a", Some(" b")), ("b", Some("a")), ("a", None), ("c", None), ("c", Some(""))]);
        assert_eq!(overlap(&eval, &train), 2);
    }
}
