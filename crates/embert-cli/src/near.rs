//! Suggests a known name for an unknown one, by edit distance or common words.

/// Minimum similarity (1 − edits / length) of a suggestion.
const LEAST_SIMILARITY: f64 = 0.7;

/// Returns the most similar known name; the first one if several are equally similar.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let similarity = |known: &str| strsim::normalized_damerau_levenshtein(name, known);
    let spelled = known
        .clone()
        .map(|known| (similarity(known), known))
        .filter(|(similarity, _)| *similarity >= LEAST_SIMILARITY)
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            _ => Some(next),
        });
    let has_words = |known: &&str| name.contains('_') && has_words(known, name);
    spelled.map(|(_, known)| known).or_else(|| known.clone().find(has_words))
}

/// Returns true if the words of `name` occur in `known`, in order: `batch_size` in `per_device_train_batch_size`.
fn has_words(known: &str, name: &str) -> bool {
    let mut words = known.split('_');
    name.split('_').all(|word| words.any(|known| known == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_similar_names_are_suggested() {
        let known =
            ["model", "intermediate_size", "per_device_train_batch_size", "learning_rate", "eval_strategy"];
        for (name, expected) in [
            ("learning_rat", Some("learning_rate")),
            ("leraning_rate", Some("learning_rate")),
            ("eval_stategy", Some("eval_strategy")),
            ("batch_size", Some("per_device_train_batch_size")),
            ("train_batch_size", Some("per_device_train_batch_size")),
            ("modle", Some("model")),
            ("ignore_mismatched_sizes", None),
            ("do_eval", None),
            ("size", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
        }
    }
}
