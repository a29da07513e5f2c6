//! Rows that stand in two data sets: what a model was trained on says nothing of how it does on new texts.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::clean::clean;
use crate::review::Dataset;

/// How many rows of `eval` have a text that stands in `train` too, markup and white space aside.
pub fn overlap(eval: &Dataset, train: &Dataset) -> usize {
    let known = train.examples.iter().map(|example| hash(&example.text)).collect::<HashSet<_>>();
    eval.examples.iter().filter(|example| known.contains(&hash(&example.text))).count()
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    clean(text).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::{Example, Labels};

    #[test]
    fn rows_that_differ_in_markup_alone_are_the_same() {
        let dataset = |texts: &[&str]| Dataset {
            examples: texts.iter().map(|&text| Example { text: text.to_owned(), label: 0 }).collect(),
            labels: Labels::numbered(2),
        };
        let train = dataset(&["Great!<br /><br />I like it.", "dull", "dull"]);
        let eval = dataset(&["Great!  I like it.", "Dull", "dull", " dull\n", "new"]);
        assert_eq!(overlap(&eval, &train), 3);
        assert_eq!(overlap(&eval, &dataset(&[])), 0);
    }
}
