//! Every file holds one idea, says it in its first line, is named after it and is not long.

use super::{Finding, source::Source};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "common", "helper", "helpers", "misc", "type", "types", "base", "prelude"];

const MOST_LINES: usize = 400;

/// Files that are longer, each with the reason why it is one idea all the same.
const LONG_FILES: [(&str, &str); 0] = [];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let exceptions = LONG_FILES.map(|(path, _)| path);
    let mut findings: Vec<_> = sources.iter().flat_map(|source| check_file(source, &exceptions)).collect();
    findings.extend(exceptions.iter().filter_map(|path| idle_exception(path, sources)));
    findings
}

fn check_file(source: &Source, exceptions: &[&str]) -> Vec<Finding> {
    let troubles = [empty_name(source), no_first_line(source), too_long(source, exceptions)];
    let finding = |what| Finding { path: source.path.clone(), line: 1, what };
    troubles.into_iter().flatten().map(finding).collect()
}

fn empty_name(source: &Source) -> Option<String> {
    let mut names = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
    let name = names.find(|name| EMPTY_NAMES.contains(name))?;
    Some(format!("`{name}` names no idea: name the file after what it holds"))
}

/// A library may open with its README instead.
fn no_first_line(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let says_it = first.starts_with("//! ") || first == "#![doc = include_str!(\"../README.md\")]";
    (!says_it).then(|| "the first line must be `//! ` and what the file is, in one sentence".into())
}

fn too_long(source: &Source, exceptions: &[&str]) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > MOST_LINES && !exceptions.contains(&source.path.as_str())).then(|| {
        format!("{lines} lines, more than {MOST_LINES}: split it by idea, or list it with its reason in xtask/src/tidy/files.rs")
    })
}

fn idle_exception(path: &str, sources: &[Source]) -> Option<Finding> {
    let long = |source: &Source| source.path == path && source.text.lines().count() > MOST_LINES;
    let what = format!("{path} is no longer a long file: take it off LONG_FILES");
    (!sources.iter().any(long)).then(|| Finding { path: "xtask/src/tidy/files.rs".into(), line: 1, what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        let found = check_file(&Source::new(path, text), &["crates/x/src/long.rs"]);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, words) in found.iter().zip(expected) {
            assert!(finding.what.contains(words), "{finding}");
        }
    }

    #[test]
    fn names_must_say_something() {
        check("crates/x/src/split.rs", "//! Splits a data set.\n", &[]);
        check("crates/x/src/utils.rs", "//! Splits a data set.\n", &["`utils` names no idea"]);
        check("crates/x/src/common/split.rs", "//! Splits a data set.\n", &["`common` names no idea"]);
    }

    #[test]
    fn the_first_line_says_what_a_file_is() {
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
            idle_exception("crates/x/src/long.rs", &[Source::new("crates/x/src/long.rs", &*long)]).is_none()
        );
        assert!(idle_exception("crates/x/src/long.rs", &[]).is_some());
    }
}
