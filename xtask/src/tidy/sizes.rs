//! The size of each crate: files, lines, lines of tests, and the longest file.

use super::source::Source;
use std::collections::BTreeMap;

#[derive(Default)]
struct Size<'a> {
    files: usize,
    lines: usize,
    tests: usize,
    longest: (usize, &'a str),
}

pub(super) fn table(sources: &[Source]) -> String {
    let mut sizes: BTreeMap<&str, Size> = BTreeMap::new();
    for source in sources {
        add(sizes.entry(source.package()).or_default(), source);
    }
    let head = format!("{:<16}{:>6}{:>8}{:>8}   longest file", "", "files", "lines", "tests");
    let rows = sizes.iter().map(|(package, size)| row(package, size));
    [head].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

fn add<'a>(size: &mut Size<'a>, source: &'a Source) {
    let lines = source.text.lines().count();
    size.files += 1;
    size.lines += lines;
    size.tests += (1..=lines).filter(|&line| source.is_test(line)).count();
    size.longest = size.longest.max((lines, &source.path));
}

fn row(package: &str, Size { files, lines, tests, longest: (most, path) }: &Size) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    format!("{package:<16}{files:>6}{lines:>8}{tests:>8}   {name} {most}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_by_crate() {
        let sources = [
            Source::new("crates/a/src/lib.rs", "//! A.\nfn a() {}\n#[cfg(test)]\nmod tests {}\n"),
            Source::new("crates/a/src/b.rs", "//! B.\n"),
            Source::new("xtask/src/main.rs", "//! X.\n"),
        ];
        let table = table(&sources);
        let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[1], ["a", "2", "5", "2", "lib.rs", "4"]);
        assert_eq!(rows[2], ["xtask", "1", "1", "0", "main.rs", "1"]);
    }
}
