//! The fingerprint of a run's evaluation rows. A finished run saves it, and `evaluate` compares it.
//!
//! If the data changes, other rows are held out, and the model was trained on some of them.

use std::path::Path;

use embert_data::{Dataset, Example};
use embert_inference::recipe_path;
use embert_kernels::{FNV_OFFSET, fnv1a};
use embert_train::RunDirectory;
use serde_json::{Map, Value};

use crate::error::CliError;
use crate::recipe::DataSection;

/// The key among the results of a run.
const KEY: &str = "eval_data_fingerprint";

/// Returns the FNV-1a hash of all texts and targets, in their order.
pub(crate) fn of_rows(rows: &Dataset) -> u64 {
    rows.examples.iter().fold(fnv1a(FNV_OFFSET, rows.len() as u64), add_example)
}

/// Returns the fingerprint as a result of the run. JSON numbers are too short for it.
pub(crate) fn as_result(fingerprint: u64) -> Map<String, Value> {
    Map::from_iter([(KEY.to_owned(), Value::String(shown(fingerprint)))])
}

/// Fails if the evaluation rows are not those of the run in the directory. Passes if the run saved no fingerprint.
pub(crate) fn require_same(directory: &Path, fingerprint: u64, data: &DataSection) -> Result<(), CliError> {
    let recipe = recipe_path(directory);
    let results = recipe.parent().and_then(RunDirectory::results).unwrap_or_default();
    match results.get(KEY) {
        Some(saved) if *saved != shown(fingerprint) => Err(CliError::rejected(format!(
            "{}: the evaluation rows differ from those of the run, because the data changed or a flag reads it in another \
             way; name the rows to evaluate with --test_file or --dataset",
            data.eval_file().or(data.train_file.as_ref()).unwrap_or(&data.dataset_name)
        ))),
        _ => Ok(()),
    }
}

fn shown(fingerprint: u64) -> String {
    format!("{fingerprint:016x}")
}

fn add_example(hash: u64, example: &Example) -> u64 {
    let Example { text, text_pair, target } = example;
    let hash = text_pair.iter().fold(add_text(hash, text), |hash, pair| add_text(hash, pair));
    let ids = target.label_ids().iter().map(|&id| id as u64);
    let values = target.values().iter().map(|value| value.to_bits().into());
    let hash = fnv1a(hash, target.label_ids().len() as u64);
    ids.chain(values).fold(hash, fnv1a)
}

fn add_text(hash: u64, text: &str) -> u64 {
    let words = text.as_bytes().chunks(8).map(|bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(word)
    });
    words.fold(fnv1a(hash, text.len() as u64), fnv1a)
}

#[cfg(test)]
mod tests {
    use embert_data::{Labels, Target};

    use super::*;

    fn rows(rows: &[(&str, Option<&str>, usize)]) -> u64 {
        let examples = rows.iter().map(|&(text, pair, label)| Example {
            text_pair: pair.map(str::to_owned),
            ..Example::new(text, Target::Label(label))
        });
        of_rows(&Dataset::of_labels(examples.collect(), Labels::numbered(3)))
    }

    #[test]
    fn each_change_of_the_rows_changes_the_fingerprint() {
        let fingerprints = [
            rows(&[("some longer text", None, 0), ("b", None, 1)]),
            rows(&[("some longer text", None, 0)]),
            rows(&[("b", None, 1), ("some longer text", None, 0)]),
            rows(&[("some longer text", None, 1), ("b", None, 1)]),
            rows(&[("some longer texts", None, 0), ("b", None, 1)]),
            rows(&[("some longer ", Some("text"), 0), ("b", None, 1)]),
            rows(&[("some longer text\0", None, 0), ("b", None, 1)]),
        ];
        for (at, fingerprint) in fingerprints.iter().enumerate() {
            assert!(!fingerprints[..at].contains(fingerprint), "{at}");
        }
    }
}
