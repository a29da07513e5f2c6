//! The dependency graph of `Cargo.lock`, including optional dependencies.

use std::collections::{BTreeMap, BTreeSet};

/// Package names, and the names of their dependencies. All versions of a package count as one.
pub(super) struct Lock(BTreeMap<String, BTreeSet<String>>);

impl Lock {
    pub(super) fn parse(text: &str) -> Self {
        let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for block in text.split("[[package]]").skip(1) {
            let name = quoted(block.lines().find(|line| line.starts_with("name = ")).unwrap_or_default());
            let dependencies = block.lines().filter(|line| line.starts_with(" \"")).map(quoted);
            packages.entry(name).or_default().extend(dependencies);
        }
        Self(packages)
    }

    /// Returns the shortest path from `package` to a package that `wanted` accepts.
    pub(super) fn path(&self, package: &str, wanted: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([package.to_string()]);
        let mut paths = std::collections::VecDeque::from([vec![package.to_string()]]);
        while let Some(path) = paths.pop_front() {
            for name in path.last().and_then(|last| self.0.get(last)).into_iter().flatten() {
                let longer = [path.as_slice(), std::slice::from_ref(name)].concat();
                if wanted(name) {
                    return Some(longer);
                }
                if seen.insert(name.clone()) {
                    paths.push_back(longer);
                }
            }
        }
        None
    }
}

/// Returns `serde` for ` "serde 1.0.0",` and for `name = "serde"`.
fn quoted(line: &str) -> String {
    let inside = line.split('"').nth(1).unwrap_or_default();
    inside.split(' ').next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\ndependencies = [\n \"b\",\n \"c 2.0.0\",\n]\n\n\
                        [[package]]\nname = \"b\"\nversion = \"1.0.0\"\ndependencies = [\n \"a\",\n]\n\n\
                        [[package]]\nname = \"c\"\nversion = \"2.0.0\"\ndependencies = [\n \"burn-core\",\n]\n";

    #[test]
    fn the_shortest_path_goes_through_other_packages() {
        let lock = Lock::parse(LOCK);
        let path = |from: &str| lock.path(from, |name| name.starts_with("burn"));
        assert_eq!(path("a"), Some(vec!["a".into(), "c".into(), "burn-core".into()]));
        assert_eq!(path("b").map(|path| path.len()), Some(4)); // a and b depend on each other
        assert_eq!(path("burn-core"), None);
    }
}
