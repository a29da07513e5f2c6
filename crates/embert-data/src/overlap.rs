//! Overlap of training and evaluation data: texts that occur in both make the metrics too good.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::clean::clean;
use crate::dataset::Dataset;

/// Returns the number of rows of `eval` whose text also occurs in `train`.
///
/// Texts are compared after [`clean`], so differences in markup and whitespace do not matter; letter case does.
pub fn overlap(eval: &Dataset, train: &Dataset) -> usize {
    let train_hashes = train.examples.iter().map(|example| hash(&example.text)).collect::<HashSet<_>>();
    eval.examples.iter().filter(|example| train_hashes.contains(&hash(&example.text))).count()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    clean(text).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Example, Labels, Target};

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
}
