//! `would_read`: which files a path would read if they existed.

use std::os::unix::fs::symlink;

use embert_data::would_read;

use crate::TestDir;

#[test]
fn later_files_of_directories_and_patterns_are_known() {
    let dir = TestDir::new();
    dir.write("data/a.csv", "text,label\na,0\n");
    dir.write("data/sub/b.csv", "text,label\nb,0\n");
    std::fs::create_dir(dir.path("out")).unwrap();
    symlink("../out", dir.path("data/link")).unwrap();
    symlink("data", dir.path("alias")).unwrap();
    let root = dir.path("").canonicalize().unwrap();
    for (path, file, expected) in [
        ("data", "data/new.jsonl", true),
        ("data/", "data/run/new.jsonl", true),
        ("data/sub/..", "data/run/deep/new.txt", true),
        ("alias", "data/run/new.jsonl", true),
        ("data", "out/run/new.jsonl", true), // data/link leads there
        ("data", "data/.run/new.jsonl", false),
        ("data", "data/run/_new.jsonl", false),
        ("data", "data/run/model.safetensors", false),
        ("data", "data/run/config.json", false), // never data
        ("data", "data2/new.jsonl", false),
        ("data", "new.jsonl", false),
        ("data/sub", "data/run/new.jsonl", false),
        ("data/a.csv", "data/new.jsonl", false),
        ("missing", "missing/new.jsonl", false),
        ("data/*", "data/new.jsonl", true),
        ("data/*", "data/run/deep/new.jsonl", true),
        ("data/*", "data/.run/new.jsonl", false),
        ("data/**", "data/run/deep/new.jsonl", true),
        ("data/*.csv", "data/new.csv", true),
        ("data/*.csv", "data/run/new.csv", false),
        ("data/**/*.csv", "data/run/new.csv", true),
        ("data/**/*.csv", "data/run/new.jsonl", false),
        ("data/**/*.jsonl", "data/.run/new.jsonl", false),
        ("data/*/*.jsonl", "data/run/new.jsonl", true),
        ("data/*/*.jsonl", "data/run/deep/new.jsonl", false),
        ("*/run/*", "data/run/new.jsonl", true),
        ("*/run/*", "data/other/new.jsonl", false),
    ] {
        let found = would_read(&dir.path(path), &[root.join(file)]).unwrap();
        assert_eq!(found, expected, "{path} and {file}");
    }
    let files = ["new.jsonl", "data/new.jsonl"].map(|name| root.join(name));
    assert!(would_read(&dir.path("data"), &files).unwrap(), "one of several files");
    assert!(!would_read(&dir.path("data"), &[]).unwrap());
}
