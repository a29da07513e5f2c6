//! A `.rs` file, and the first line of its tests.

pub(super) struct Source {
    /// Relative to the workspace, with `/`.
    pub path: String,
    pub text: String,
    /// The first line that is test code, counted from 1.
    tests_from: usize,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let tests_from = if is_test_file(&path) { 1 } else { inline_tests(&text) };
        Self { path, text, tests_from }
    }

    pub(super) fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }

    /// Returns the numbered lines (from 1) that are neither tests nor comments.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(i, line)| (i + 1, line));
        lines.filter(|(number, line)| !self.is_test(*number) && !line.trim_start().starts_with("//"))
    }

    /// Returns `embert-data` for `crates/embert-data/src/lib.rs`.
    pub(super) fn package(&self) -> &str {
        let path = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or(path)
    }
}

fn is_test_file(path: &str) -> bool {
    let folders = ["/tests/", "/benches/", "/examples/"];
    folders.iter().any(|folder| path.contains(folder))
        || path.ends_with("/tests.rs")
        || path.ends_with("/build.rs")
}

/// Returns the first line of the test module. It is the last module of a file.
fn inline_tests(text: &str) -> usize {
    let lines = text.lines().map(str::trim).collect::<Vec<_>>();
    let module = |i: usize| {
        lines[i + 1..].iter().find(|line| !line.starts_with('#')).is_some_and(|line| line.starts_with("mod "))
    };
    (0..lines.len()).find(|&i| lines[i] == "#[cfg(test)]" && module(i)).map_or(usize::MAX, |i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_excludes_tests_and_comments() {
        let text = "// a\nfn a() {}\n#[cfg(test)]\nuse x;\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n}\n";
        let source = Source::new("crates/x/src/a.rs", text);
        assert_eq!(source.code().map(|(number, _)| number).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(Source::new("crates/x/tests/it/main.rs", "fn a() {}").code().count(), 0);
        assert_eq!(Source::new("crates/x/src/a.rs", "fn a() {}").code().count(), 1);
    }

    #[test]
    fn a_file_belongs_to_a_package() {
        assert_eq!(Source::new("crates/embert-data/src/lib.rs", "").package(), "embert-data");
        assert_eq!(Source::new("xtask/src/main.rs", "").package(), "xtask");
    }
}
