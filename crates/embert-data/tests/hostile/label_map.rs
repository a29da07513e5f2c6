//! Malformed label maps: other JSON values, duplicate values, huge files, and damaged csv.

use embert_data::LabelMap;
use embert_hostile::{FuzzTarget, damaged};

#[test]
fn valid_maps_are_read_and_invalid_maps_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &std::path::Path| LabelMap::from_file(path).map(drop);
    let mut target = FuzzTarget::new(folder.path().join("hostile.json"), open);
    let many = |name: &dyn Fn(usize) -> String| {
        let pairs = (0..20_000).map(|value| format!("\"{value}\": \"{}\"", name(value)));
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    };
    for (what, file) in [
        ("an ordinary map", r#"{"0": "neg", "1": "pos"}"#.to_owned()),
        ("a BOM", "\u{feff}{\"0\": \"neg\"}".to_owned()),
        ("an empty value", r#"{"": "none"}"#.to_owned()),
        ("an integer of 39 digits", format!("{{\"{}\": \"large\"}}", i128::MAX)),
        ("twenty thousand names", many(&|value| format!("name {value}"))),
        ("one name of twenty thousand values", many(&|_| "name".to_owned())),
    ] {
        target.file(what, file).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    for (what, file, expected) in [
        ("an empty file", Vec::new(), "not a JSON object of text"),
        ("a list", b"[]".to_vec(), "not a JSON object of text"),
        ("nested objects", b"{\"a\": {\"b\": \"c\"}}".to_vec(), "not a JSON object of text"),
        ("deep nesting", b"{\"a\":".repeat(1 << 16), "not a JSON object of text"),
        ("no pairs", b"{}".to_vec(), "no pairs"),
        ("a value twice", br#"{"1": "a", "1.0": "b"}"#.to_vec(), "occurs twice"),
        ("an empty name", br#"{"1": " "}"#.to_vec(), "has no name"),
        ("invalid UTF-8", b"{\"1\": \"\xff\"}".to_vec(), "hostile.json"),
        ("a lone surrogate", br#"{"1": "\ud800"}"#.to_vec(), "not a JSON object of text"),
    ] {
        let error = target.refused(what, file);
        assert!(error.contains(expected), "{what}: {error:?} lacks {expected:?}");
    }
    target.mutations(damaged(br#"{"0": "neg\u00e9", "1": "pos", "-1": "none"}"#, 1000, 1));
    println!("{}", target.finish(15, 1000));
}

#[test]
fn mutated_csv_maps_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &std::path::Path| LabelMap::from_file(path).map(drop);
    let mut target = FuzzTarget::new(folder.path().join("hostile.csv"), open);
    target.mutations(damaged(b"value,name\n0,neg\n1,\"pos, \"\"yes\"\"\"\n", 1000, 2));
    println!("{}", target.finish(0, 1000));
}
