//! What only some rooms of the house may know: each boundary is a list of words and of where they may stand.

use super::{Finding, source::Source};

struct Boundary {
    words: &'static [&'static str],
    /// Whether the words are looked for in strings, or in code.
    in_strings: bool,
    /// Paths that begin so may use them; tests may anyway.
    rooms: &'static [&'static str],
    instead: &'static str,
}

const HERE: &str = "xtask/src/tidy/boundaries.rs";
const BINARIES: [&str; 3] = ["crates/embert-cli/", "crates/embert-bench/", "xtask/"];

const BOUNDARIES: [Boundary; 5] = [
    Boundary {
        words: &["println!", "eprintln!", "print!", "eprint!", "dbg!", "io::stdout", "io::stderr"],
        in_strings: false,
        rooms: &BINARIES,
        instead: "libraries never print: return a value or an event",
    },
    Boundary {
        words: &["env::var", "env::var_os", "env::vars", "env::vars_os", "env::set_var", "env::args"],
        in_strings: false,
        rooms: &BINARIES,
        instead: "libraries never read the environment: take a parameter and let embert-cli read it",
    },
    Boundary {
        words: &[
            "Device::cpu",
            "Device::cuda",
            "Device::default",
            "Device::flex",
            "Device::metal",
            "Device::ndarray",
            "Device::rocm",
            "Device::vulkan",
            "Device::webgpu",
            "Device::wgpu",
            "Device::wgpu_options",
        ],
        in_strings: false,
        rooms: &["crates/embert-cli/src/device.rs", "crates/embert-cli/src/device/", "crates/embert-bench/"],
        instead: "only embert-cli/src/device picks a device: take `&Device` as a parameter",
    },
    Boundary {
        words: &[
            "LayerNorm.",
            "attention.self.",
            "attention.output.",
            "encoder.layer.",
            "transformer.layer.",
            "word_embeddings.weight",
            "pooler.dense.",
        ],
        in_strings: true,
        rooms: &["crates/embert-model/src/names/", HERE],
        instead: "only embert-model/src/names knows Hugging Face's tensor names: ask it",
    },
    Boundary {
        words: &["trainer_state.json", "all_results.json", "metrics.jsonl"],
        in_strings: true,
        rooms: &["crates/embert-train/src/checkpoint/", HERE],
        instead: "only embert-train/src/checkpoint knows the run directory: ask it",
    },
];

const UNSAFE_ROOM: &str = "crates/embert-kernels/";
/// How many lines above an `unsafe` its reason may stand.
const SAFETY_REACH: usize = 8;

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let mut findings = crossings(source);
    findings.extend(unsafe_code(source));
    findings
}

fn crossings(source: &Source) -> Vec<Finding> {
    let closed = |boundary: &&Boundary| !boundary.rooms.iter().any(|room| source.path.starts_with(room));
    BOUNDARIES.iter().filter(closed).flat_map(|boundary| crossings_of(source, boundary)).collect()
}

fn crossings_of(source: &Source, boundary: &Boundary) -> Vec<Finding> {
    let text = if boundary.in_strings { &source.strings } else { &source.code };
    let word = |line: &str| boundary.words.iter().copied().find(|word| has_word(line, word));
    lines(text)
        .filter(|(number, _)| !source.is_test(*number))
        .filter_map(|(number, line)| Some((number, word(line)?)))
        .map(|(line, word)| finding(source, line, format!("`{word}` here: {}", boundary.instead)))
        .collect()
}

fn unsafe_code(source: &Source) -> Vec<Finding> {
    let trouble = |number: usize| match source.path.starts_with(UNSAFE_ROOM) {
        false => Some("`unsafe` lives in embert-kernels alone: write it safely, or move the operation there"),
        true if has_reason(source, number) => None,
        true => {
            Some("`unsafe` without its reason: write `// SAFETY: ...` above it, `# Safety` for a function")
        }
    };
    lines(&source.code)
        .filter(|(_, line)| has_word(line, "unsafe"))
        .filter_map(|(number, _)| Some(finding(source, number, trouble(number)?.into())))
        .collect()
}

fn has_reason(source: &Source, number: usize) -> bool {
    let above = number.saturating_sub(SAFETY_REACH + 1);
    let mut nearby = source.text.lines().skip(above).take(number + 1 - above);
    nearby.any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line))
}

fn finding(source: &Source, line: usize, what: String) -> Finding {
    Finding { path: source.path.clone(), line, what }
}

/// Whether `word` stands in `line` and is not a part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let (before, after) = (&line[..start], &line[start + word.len()..]);
        let begins = !(word.starts_with(in_name) && before.ends_with(in_name));
        let ends = !(word.ends_with(in_name) && after.starts_with(in_name));
        begins && ends
    })
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
    fn libraries_do_not_print() {
        let text = "//! X. println!\nfn f() {\n    println!(\"{x}\");\n}\n#[cfg(test)]\nmod tests { fn g() { dbg!(1) } }\n";
        check("crates/embert-train/src/fit.rs", text, &[(3, "`println!` here: libraries never print")]);
        check("crates/embert-cli/src/progress.rs", text, &[]);
        check("crates/embert-train/tests/it/main.rs", text, &[]);
    }

    #[test]
    fn libraries_do_not_read_the_environment() {
        let path = "crates/embert-data/src/hub.rs";
        check(path, "let home = std::env::var(\"HF_HOME\");", &[(1, "`env::var` here")]);
        check(path, "let home = env::var_os(\"HF_HOME\");", &[(1, "`env::var_os` here")]);
        check(path, "let version = env!(\"CARGO_PKG_VERSION\");", &[]);
    }

    #[test]
    fn one_file_picks_the_device() {
        let text = "let device = Device::flex();";
        check("crates/embert-train/src/fit.rs", text, &[(1, "`Device::flex` here")]);
        check("crates/embert-cli/src/train.rs", text, &[(1, "`Device::flex` here")]);
        check("crates/embert-cli/src/device.rs", text, &[]);
        check("crates/embert-train/src/fit.rs", "let device = MyDevice::flex();", &[]);
    }

    #[test]
    fn tensor_names_stay_in_their_room() {
        let text =
            "let key = format!(\"bert.encoder.layer.{i}.x\"); // encoder.layer.\nself.encoder.layer.len();";
        check("crates/embert-model/src/pretrained.rs", text, &[(1, "`encoder.layer.` here")]);
        check("crates/embert-model/src/names/bert.rs", text, &[]);
    }

    #[test]
    fn the_run_directory_stays_in_its_room() {
        let text = "path.join(\"metrics.jsonl\")";
        check("crates/embert-cli/src/train.rs", text, &[(1, "`metrics.jsonl` here")]);
        check("crates/embert-train/src/checkpoint/run.rs", text, &[]);
    }

    #[test]
    fn unsafe_lives_in_the_kernels_and_says_why() {
        let bare = "fn f() {\n    unsafe { g() }\n}";
        let argued = "fn f() {\n    // SAFETY: g asks for nothing.\n    unsafe { g() }\n}";
        check("crates/embert-model/src/bert.rs", argued, &[(3, "embert-kernels alone")]);
        check("crates/embert-kernels/src/cpu/gelu.rs", bare, &[(2, "without its reason")]);
        check("crates/embert-kernels/src/cpu/gelu.rs", argued, &[]);
        check("crates/embert-kernels/src/lib.rs", "#![deny(unsafe_code)]\nlet unsafely = 1;", &[]);
    }
}
