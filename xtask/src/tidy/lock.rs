//! Everything that a package could pull in, read from `Cargo.lock`: optional parts included, nothing downloaded.

use std::collections::{BTreeMap, BTreeSet};

/// Package names and the names that each depends on. Versions of one name count as one.
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

    /// How `package` comes to a package that `wanted` accepts: the names on the shortest way, itself first.
    pub(super) fn way(&self, package: &str, wanted: impl Fn(&str) -> bool) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([package.to_string()]);
        let mut ways = std::collections::VecDeque::from([vec![package.to_string()]]);
        while let Some(way) = ways.pop_front() {
            for name in way.last().and_then(|last| self.0.get(last)).into_iter().flatten() {
                let longer = [way.as_slice(), std::slice::from_ref(name)].concat();
                if wanted(name) {
                    return Some(longer);
                }
                if seen.insert(name.clone()) {
                    ways.push_back(longer);
                }
            }
        }
        None
    }
}

/// `serde` of ` "serde 1.0.0",` and of `name = "serde"`.
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
    fn the_way_to_a_package_is_found_through_others() {
        let lock = Lock::parse(LOCK);
        let way = |from: &str| lock.way(from, |name| name.starts_with("burn"));
        assert_eq!(way("a"), Some(vec!["a".into(), "c".into(), "burn-core".into()]));
        assert_eq!(way("b").map(|way| way.len()), Some(4)); // around the circle of a and b
        assert_eq!(way("burn-core"), None);
    }
}
