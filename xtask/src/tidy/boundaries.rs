//! Names of files and tensors that only certain folders may use.

use super::{Finding, source::Source};

struct Boundary {
    /// Text that other code must not have in a string.
    words: &'static [&'static str],
    /// Prefixes of paths that may use it. Tests may use it, too.
    allowed_in: &'static [&'static str],
    rule: &'static str,
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
        allowed_in: &["crates/embert-model/src/architectures/", HERE],
        rule: "only embert-model/src/architectures uses tensor names and config keys of a family; call its functions",
    },
    Boundary {
        words: &["trainer_state.json", "all_results.json", "metrics.jsonl"],
        allowed_in: &["crates/embert-train/src/run_directory/", HERE],
        rule: "only embert-train/src/run_directory uses the files of a run directory; call its functions",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let applies =
        |boundary: &&Boundary| !boundary.allowed_in.iter().any(|prefix| source.path.starts_with(prefix));
    BOUNDARIES.iter().filter(applies).flat_map(|boundary| violations(source, boundary)).collect()
}

fn violations(source: &Source, Boundary { words, rule, .. }: &Boundary) -> Vec<Finding> {
    let found = source.code().filter_map(|(line, text)| {
        let strings = text.split_once('"')?.1;
        let word = words.iter().find(|word| strings.contains(**word))?;
        Some(Finding { path: source.path.clone(), line, message: format!("`{word}`: {rule}") })
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
            assert!(finding.line == *line && finding.message.contains(words), "{finding}");
        }
    }

    #[test]
    fn tensor_names_are_only_in_architectures() {
        let text = "let key = format!(\"bert.encoder.layer.{i}.x\");\n// \"encoder.layer.\"\nself.encoder.layer.len();";
        check("crates/embert-model/src/loading.rs", text, &[(1, "`encoder.layer.`: only")]);
        check("crates/embert-model/src/architectures/bert.rs", text, &[]);
    }

    #[test]
    fn run_file_names_are_only_in_run_directory() {
        let text = "path.join(\"metrics.jsonl\")";
        check("crates/embert-cli/src/train.rs", text, &[(1, "`metrics.jsonl`: only")]);
        check("crates/embert-train/src/run_directory/run.rs", text, &[]);
        check("crates/embert-cli/tests/it/main.rs", text, &[]);
    }
}
