//! Names of files and tensors that only some folders may know.

use super::{Finding, source::Source};

struct Boundary {
    /// Words that may not be in a string.
    words: &'static [&'static str],
    /// Paths that begin like this may use them; tests may, too.
    rooms: &'static [&'static str],
    instead: &'static str,
}

const HERE: &str = "xtask/src/tidy/boundaries.rs";

const BOUNDARIES: [Boundary; 2] = [
    Boundary {
        words: &[
            "LayerNorm.",
            "attention.self.",
            "attention.output.",
            "encoder.layer.",
            "transformer.layer.",
            "word_embeddings.weight",
            "pooler.dense.",
            "pre_classifier",
        ],
        rooms: &["crates/embert-model/src/architectures/", HERE],
        instead: "only embert-model/src/architectures knows a family's tensor names and config keys: ask it",
    },
    Boundary {
        words: &["trainer_state.json", "all_results.json", "metrics.jsonl"],
        rooms: &["crates/embert-train/src/checkpoint/", HERE],
        instead: "only embert-train/src/checkpoint knows the run directory: ask it",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let closed = |boundary: &&Boundary| !boundary.rooms.iter().any(|room| source.path.starts_with(room));
    BOUNDARIES.iter().filter(closed).flat_map(|boundary| crossings(source, boundary)).collect()
}

fn crossings(source: &Source, Boundary { words, instead, .. }: &Boundary) -> Vec<Finding> {
    let found = source.code().filter_map(|(line, text)| {
        let strings = text.split_once('"')?.1;
        let word = words.iter().find(|word| strings.contains(**word))?;
        Some(Finding { path: source.path.clone(), line, what: format!("`{word}` here: {instead}") })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = super::check(&[Source::new(path, text)]);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, (line, words)) in found.iter().zip(expected) {
            assert!(finding.line == *line && finding.what.contains(words), "{finding}");
        }
    }

    #[test]
    fn tensor_names_stay_in_their_room() {
        let text = "let key = format!(\"bert.encoder.layer.{i}.x\");\n// \"encoder.layer.\"\nself.encoder.layer.len();";
        check("crates/embert-model/src/loading.rs", text, &[(1, "`encoder.layer.` here")]);
        check("crates/embert-model/src/architectures/bert.rs", text, &[]);
    }

    #[test]
    fn the_run_directory_stays_in_its_room() {
        let text = "path.join(\"metrics.jsonl\")";
        check("crates/embert-cli/src/train.rs", text, &[(1, "`metrics.jsonl` here")]);
        check("crates/embert-train/src/checkpoint/run.rs", text, &[]);
        check("crates/embert-cli/tests/it/main.rs", text, &[]);
    }
}
