//! Checks of files: a specific name, a description in the first line, and a maximum length.

use super::{Finding, source::Source};

/// Names that do not describe the contents.
const VAGUE_NAMES: [&str; 10] =
    ["util", "utils", "common", "helper", "helpers", "misc", "type", "types", "base", "prelude"];

const MAX_LINES: usize = 400;

/// Longer files, each with a reason.
const LONG_FILES: [(&str, &str); 1] = [(
    "crates/embert-data/src/error.rs",
    "one enum with the errors of all formats; each has a message and documented fields",
)];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let exceptions = LONG_FILES.map(|(path, _)| path);
    let mut findings: Vec<_> = sources.iter().flat_map(|source| check_file(source, &exceptions)).collect();
    findings.extend(exceptions.iter().filter_map(|path| stale_exception(path, sources)));
    findings
}

fn check_file(source: &Source, exceptions: &[&str]) -> Vec<Finding> {
    let problems = [vague_name(source), missing_description(source), too_long(source, exceptions)];
    let finding = |message| Finding { path: source.path.clone(), line: 1, message };
    problems.into_iter().flatten().map(finding).collect()
}

fn vague_name(source: &Source) -> Option<String> {
    let mut names = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    let name = names.find(|name| VAGUE_NAMES.contains(name))?;
    Some(format!("`{name}` is a vague name: name the file after its contents"))
}

/// A library may begin with its README instead.
fn missing_description(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let has_description = first.starts_with("//! ") || first == "#![doc = include_str!(\"../README.md\")]";
    (!has_description).then(|| "the first line must be `//! ` and a sentence that describes the file".into())
}

fn too_long(source: &Source, exceptions: &[&str]) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > MAX_LINES && !exceptions.contains(&source.path.as_str())).then(|| {
        format!("{lines} lines, more than {MAX_LINES}: split the file by topic, or list it with a reason in xtask/src/tidy/files.rs")
    })
}

fn stale_exception(path: &str, sources: &[Source]) -> Option<Finding> {
    let long = |source: &Source| source.path == path && source.text.lines().count() > MAX_LINES;
    let message = format!("{path} is not a long file any more: remove it from LONG_FILES");
    (!sources.iter().any(long)).then(|| Finding { path: "xtask/src/tidy/files.rs".into(), line: 1, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = check_file(&Source::new(path, text), &["crates/x/src/long.rs"]);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, words) in found.iter().zip(expected) {
            assert!(finding.message.contains(words), "{finding}");
        }
    }

    #[test]
    fn vague_names_are_findings() {
        check("crates/x/src/split.rs", "//! Splits a data set.\n", &[]);
        check("crates/x/src/utils.rs", "//! Splits a data set.\n", &["`utils` is a vague name"]);
        check("crates/x/src/common/split.rs", "//! Splits a data set.\n", &["`common` is a vague name"]);
    }

    #[test]
    fn the_first_line_must_be_a_description() {
        check("crates/x/src/split.rs", "use x;\n//! Splits a data set.\n", &["first line"]);
        check("crates/x/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n", &[]);
        check("crates/x/src/split.rs", "//!\n", &["first line"]);
        check("crates/x/src/split.rs", "", &["first line"]);
    }

    #[test]
    fn long_files_need_a_reason() {
        let long = "//! Splits a data set.\n".repeat(401);
        check("crates/x/src/split.rs", &long, &["401 lines"]);
        check("crates/x/src/long.rs", &long, &[]);
        assert!(
            stale_exception("crates/x/src/long.rs", &[Source::new("crates/x/src/long.rs", &*long)]).is_none()
        );
        assert!(stale_exception("crates/x/src/long.rs", &[]).is_some());
    }
}
