//! Output files that `predict` refuses before it opens the model.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fails;

#[test]
fn an_invalid_output_is_refused_and_existing_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let texts = b"text\ngood\n";
    let input = folder.path().join("f.csv");
    fs::write(&input, texts).unwrap();
    symlink("f.csv", folder.path().join("soft.csv")).unwrap();
    fs::hard_link(&input, folder.path().join("hard.csv")).unwrap();
    fs::create_dir_all(folder.path().join("a")).unwrap();
    fs::create_dir_all(folder.path().join("folder.csv")).unwrap();
    for (output, expected) in [
        ("f.csv", "is the file of --input"),
        ("soft.csv", "is the file of --input"),
        ("hard.csv", "is the file of --input"),
        ("./a/../f.csv", "is the file of --input"),
        ("nowhere/out.csv", "there is no directory nowhere"),
        ("hard.csv/out.csv", "there is no directory hard.csv"),
        ("folder.csv", "is a directory"),
        ("out.xlsx", ".jsonl"),
        ("out", ".jsonl"),
    ] {
        let message =
            fails(folder.path(), 2, &format!("predict --model ./none --input f.csv --output {output}"));
        assert_eq!(message.lines().count(), 1, "{output}: {message}");
        assert!(message.contains(output) && message.contains(expected), "{output}: {message}");
        assert_eq!(fs::read(&input).unwrap(), texts, "{output}");
    }
    for (name, content) in
        [("notes.csv", "text\nmine\n"), ("notes.jsonl", "not json"), ("notes.tsv", "label\tscore\n1\t2\n")]
    {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let message =
            fails(folder.path(), 2, &format!("predict --model ./none --input f.csv --output {name}"));
        assert!(message.contains(name) && message.contains("holds no predictions"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "{name}");
    }
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    fs::write(folder.path().join("before.jsonl"), "{\"label\": \"a\", \"score\": 1, \"scores\": [1]}\n")
        .unwrap();
    for output in ["empty.csv", "before.jsonl"] {
        let message =
            fails(folder.path(), 1, &format!("predict --model ./none --input f.csv --output {output}"));
        assert!(message.contains("none"), "{output}: {message}");
    }
    let message = fails(folder.path(), 1, "predict --model ./none --input f.csv --output a/out.csv");
    assert!(message.contains("none"), "{message}");
}
